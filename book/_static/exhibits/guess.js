// Make buttons of the choices; the one that is pressed opens the answer and stays marked.
for (const box of document.querySelectorAll(".guess")) {
  const answer = box.querySelector("details");
  answer.setAttribute("aria-live", "polite"); // who cannot see that it opened hears it
  for (const item of box.querySelectorAll(":scope > ul > li")) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(...item.childNodes);
    item.append(button);
    button.addEventListener("click", () => {
      for (const other of box.querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
      answer.open = true;
    });
  }
}
