() => [...document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')]
    .every(view => view.parentElement.querySelector('.widget-subarea .jupyter-widgets'))
