"""Controls that choose among pictures drawn beforehand, in a notebook and in a page without a kernel."""

from collections.abc import Hashable, Mapping, Sequence
from html import escape
from itertools import product
from numbers import Real

import ipywidgets as widgets
from IPython.display import HTML, display

from .pictures import WIDTH, Picture


class Chooser(widgets.VBox):
    """Controls above a picture that follows them; made by `chooser`.

    Beside the widget it shows its first picture to readers whose browser runs no scripts, and carries it as plain HTML
    for paper and for programs that know no widgets.
    """

    first = ""

    def _repr_mimebundle_(self, **kwargs):
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": "Chooser", "text/html": self.first, "application/vnd.jupyter.widget-view+json": view}

    def _ipython_display_(self, **kwargs):
        # A page keeps one form of each output and always prefers the widget, so the still picture is a second output.
        display(self._repr_mimebundle_(), raw=True)
        display(HTML(f"<noscript>{self.first}</noscript>"))


def chooser(
    pictures: Mapping[Hashable, Picture], *, labels: Sequence[str], kinds: Sequence[str] | None = None
) -> Chooser:
    """Offer one of many pictures through one to three controls, with its words as the caption.

    `pictures` has one picture for every combination of the controls' options; a missing one is a ValueError that names
    it. `labels` name the controls in the order of the keys. A control is a slider if its options are numbers, which it
    sorts and need not be evenly spaced (0, 1, 2, 4, 8), else a menu; `kinds` ("slider" or "menu" for each control) says
    otherwise. Options that are no numbers stay in the order of their first picture.

    In ipywidgets 8 the browser needs no kernel for this: stacks inside stacks, each linked to its control. Version 7
    knows no stack, and there a kernel swaps the pictures. A page keeps every widget ever made, so build a chooser once.
    """
    options = _options(pictures, labels)
    kinds = kinds or ["slider" if _numbers(values) and len(values) > 1 else "menu" for values in options]
    if len(kinds) != len(labels) or not set(kinds) <= {"slider", "menu"}:
        raise ValueError(f"kinds is {list(kinds)}; it needs 'slider' or 'menu' for each of {', '.join(labels)}")
    for label, values, kind in zip(labels, options, kinds, strict=True):
        if kind == "slider" and len(values) == 1:
            raise ValueError(f"a slider needs two options or more; {label!r} has only {values[0]!r}: use a menu")
    options = [sorted(of) if kind == "slider" and _numbers(of) else of for of, kind in zip(options, kinds, strict=True)]
    controls = [_control(*each) for each in zip(labels, options, kinds, strict=True)]
    figures = {key: _figure(pictures[key]) for key in product(*options)}
    # One layout for all: each costs a page 1.1 kB.
    layout = widgets.Layout()
    make = _stacks if hasattr(widgets, "Stack") else _callback
    shown = make(controls, options, figures, layout)
    shown.add_class("linstudy-picture")
    row = widgets.HBox(controls, layout=widgets.Layout(flex_flow="row wrap"))
    box = Chooser([row, shown], layout=layout)
    box.add_class("linstudy-chooser")
    box.first = next(iter(figures.values()))
    return box


def _options(pictures, labels) -> list[list]:
    """List the options of each control, in the order of their first picture; check that no combination is missing."""
    if not pictures:
        raise ValueError("there are no pictures to choose from")
    if not 1 <= len(labels) <= 3:
        raise ValueError(f"a chooser has 1 to 3 controls; labels names {len(labels)}")
    for key in pictures:
        if not isinstance(key, tuple) or len(key) != len(labels):
            raise ValueError(f"the key {key!r} must be a tuple with one option for each of {', '.join(labels)}")
    options = [list(dict.fromkeys(values)) for values in zip(*pictures, strict=True)]
    for key in product(*options):
        if key not in pictures:
            named = ", ".join(f"{label} = {value!r}" for label, value in zip(labels, key, strict=True))
            raise ValueError(f"there is no picture for {named}; a chooser needs one for every combination")
    return options


def _numbers(values) -> bool:
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in values)


def _control(label, values, kind):
    tooltip = "tooltip" if "tooltip" in widgets.Dropdown.class_trait_names() else "description_tooltip"  # version 7
    words = {"description": label, tooltip: f"Choose the {label}", "style": {"description_width": "initial"}}
    make = widgets.SelectionSlider if kind == "slider" else widgets.Dropdown
    return make(options=[str(value) for value in values], **words)


def _figure(picture: Picture) -> str:
    """Put the picture over its caption and its numbers. A screen reader hears the words once, from the caption."""
    look = f"max-width:{WIDTH}px;line-height:1.4;color:inherit"
    return (
        f'<figure style="margin:0"><div aria-hidden="true">{picture.html}</div>'
        f'<figcaption style="{look}">{escape(picture.alt)}</figcaption>{picture.numbers}</figure>'
    )


def _stacks(controls, options, figures, layout):
    """Build stacks inside stacks: a link copies a number, it cannot compute one, so each level has its control."""
    panes = {}
    for key, figure in figures.items():
        style = {"style": next(iter(panes.values())).style} if panes else {}
        panes[key] = widgets.HTML(figure, layout=layout, **style)

    def stack(chosen):
        level = len(chosen)
        if level == len(controls):
            return panes[chosen]
        children = [stack((*chosen, value)) for value in options[level]]
        made = widgets.Stack(children, selected_index=0, layout=layout)
        # The browser knows the place of what is chosen; its value only Python knows.
        widgets.jslink((controls[level], "index"), (made, "selected_index"))
        return made

    return stack(())


def _callback(controls, options, figures, layout):
    """Build one pane that Python fills whenever a control changes."""
    pane = widgets.HTML(next(iter(figures.values())), layout=layout)

    def show(_):
        pane.value = figures[tuple(values[of.index] for of, values in zip(controls, options, strict=True))]

    for control in controls:
        control.observe(show, "index")
    return pane
