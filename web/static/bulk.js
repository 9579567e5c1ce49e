// Counts the ticked rows of each form with data-bulk, shows its bar only while
// something is ticked, and puts a box into the table's head that ticks the page.
for (const form of document.querySelectorAll("form[data-bulk]")) {
  const rows = [...form.querySelectorAll("input[name=row]")];
  const all = form.querySelector("input[name=all]");
  const bar = form.querySelector("[data-bulk-bar]");
  const count = form.querySelector("[data-bulk-count]");
  const head = form.querySelector("th.tick");
  const page = document.createElement("input");
  const label = document.createElement("label");
  const words = document.createElement("span"); // seen where the head has room for them

  page.type = "checkbox";
  page.autocomplete = "off";
  page.setAttribute("aria-label", form.dataset.bulk);
  page.title = words.textContent = form.dataset.bulk;
  page.addEventListener("change", () => {
    for (const row of rows) row.checked = page.checked;
    all.checked = false;
    show();
  });
  label.append(page, words);
  head.append(label);

  function show() {
    const n = rows.filter((row) => row.checked).length;
    const words = all.checked ? count.dataset.all : count.dataset.bulkCount.replace("#", n);
    page.checked = n === rows.length;
    page.indeterminate = n > 0 && n < rows.length;
    bar.hidden = n === 0 && !all.checked;
    if (count.textContent !== words) count.textContent = words;
  }

  form.addEventListener("change", show);
  window.addEventListener("pageshow", show); // the browser may bring ticks back
  show();
}
