() => {
    const column = document.querySelector('article').getBoundingClientRect().right;
    const clipped = element => {
        for (let box = element.parentElement; box && box.tagName !== 'ARTICLE'; box = box.parentElement)
            if (getComputedStyle(box).overflowX !== 'visible') return true;
        return false;
    };
    return [...document.querySelectorAll('article *')]
        .filter(e => !e.closest('svg, mjx-container, script, noscript, .headerlink') && e.checkVisibility())
        .filter(e => (e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX))
            || (e.getBoundingClientRect().right > column + 1 && !clipped(e)))
        .map(e => `${e.tagName.toLowerCase()}.${e.className}: ${e.textContent.trim().slice(0, 60)}`);
}
