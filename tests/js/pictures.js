area => [...area.querySelectorAll('img, [role=img]')]
    .filter(picture => picture.getBoundingClientRect().width > 20)
    .map(picture => picture.tagName === 'IMG'
        ? {src: picture.src, alt: picture.alt}
        : {src: picture.innerHTML, alt: picture.getAttribute('aria-label')
            || picture.querySelector('title')?.textContent || ''})
