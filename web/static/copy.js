// Shows the button with data-copy="ID" and lets it copy the text of that
// element; for a moment the button says the words of data-copied.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  const label = button.querySelector("span");
  const words = label.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent.trim());
    label.textContent = button.dataset.copied;
    setTimeout(() => (label.textContent = words), 2000);
  });
}
