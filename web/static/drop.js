// Lets a file be dragged onto the area with data-drop, and says at once what the
// server would say of a file with more than data-most bytes.
for (const area of document.querySelectorAll("[data-drop]")) {
  const input = area.querySelector("input[type=file]");
  const error = area.querySelector("[data-drop-error]");
  area.querySelector("[data-drop-hint]").hidden = false;
  const over = (is) => area.classList.toggle("drop-over", is);
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

  function judge() {
    const large = input.files.length > 0 && input.files[0].size > Number(area.dataset.most);
    error.textContent = large ? area.dataset.large : "";
    error.hidden = !large;
    return !large;
  }

  for (const kind of ["dragenter", "dragover"]) {
    area.addEventListener(kind, (event) => {
      if (!files(event)) return;
      event.preventDefault();
      over(true);
    });
  }
  area.addEventListener("dragleave", (event) => {
    if (!area.contains(event.relatedTarget)) over(false);
  });
  area.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    over(false);
    const one = new DataTransfer();
    if (event.dataTransfer.files.length > 0) one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.focus();
    judge();
  });
  input.addEventListener("change", judge);
  area.querySelector("form").addEventListener("submit", (event) => {
    if (!judge()) event.preventDefault();
  });
}
