// Closes an open menu when the person presses Escape or goes elsewhere; takes
// along what was typed where the language is changed.
const open = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open()) {
    const within = menu.contains(document.activeElement);
    menu.open = false;
    if (within) menu.querySelector("summary").focus();
  }
});

for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
}

// A change of language takes along the form that was typed into last.
let typed;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.id && !form.querySelector("[name=password]")) typed = form;
});
for (const button of document.querySelectorAll("[data-lang]")) {
  button.addEventListener("click", () => {
    if (!typed?.isConnected) return;
    const to = new URL(button.formAction);
    to.searchParams.set("to", typed.getAttribute("action"));
    to.searchParams.set("by", typed.method);
    button.formAction = to;
    button.setAttribute("form", typed.id);
  });
}
