async () => {
    const look = element => {
        const style = getComputedStyle(element);
        return ['outlineStyle', 'outlineWidth', 'outlineColor', 'boxShadow', 'borderTopColor', 'borderTopWidth',
            'backgroundColor', 'textDecorationLine', 'textDecorationThickness'].map(name => style[name]).join();
    };
    const around = element => [element, element.parentElement, element.firstElementChild, element.nextElementSibling,
        element.closest('label, .sd-card')].filter(Boolean).map(look).join(';');
    const still = document.createElement('style');  // or a change would not have begun when it is looked for
    still.textContent = '* {transition: none !important; animation: none !important}';
    document.head.append(still);
    const wrong = [];
    for (const element of document.querySelectorAll('a[href], button, summary, input, select, textarea, [tabindex]')) {
        if (element.disabled || element.tabIndex < 0 || !element.checkVisibility({visibilityProperty: true})) continue;
        element.blur();
        const before = around(element);
        element.focus({preventScroll: true});
        if (document.activeElement !== element) continue;
        if (around(element) === before) wrong.push(element.outerHTML.slice(0, 160));
    }
    still.remove();
    return wrong;
}
