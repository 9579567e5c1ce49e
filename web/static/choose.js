// Where a form asks where a key comes from: offers to make one here, and shows
// what belongs to the answer only.

// offer prepares the element with data-keys and returns what the form's script
// needs to know of it. able says whether this browser can make keys.
export function offer(place, able) {
  const form = place.closest("form");
  const csr = form.querySelector("[name=csr]");
  const file = form.querySelector("[name=file]");
  const radios = [...form.querySelectorAll("[name=key]")];
  const here = radios.find((radio) => radio.value === "browser");
  const chosen = () => radios.find((radio) => radio.checked)?.value;

  function show() {
    for (const part of place.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== chosen();
  }

  place.querySelector("[data-unable]").hidden = able;
  if (able) {
    here.disabled = false;
    here.closest("[hidden]").hidden = false;
    if (chosen() === "csr" && !csr.value && !place.querySelector("[data-when=csr] [aria-invalid]")) here.checked = true;
    form.addEventListener("change", show);
    window.addEventListener("pageshow", show); // the browser may bring an answer back
    show();
  }
  return { form, csr, file, here, chosen, show };
}

// say puts the words with data-say="NAME" into the place's live region.
export function say(place, name) {
  const live = place.querySelector("[data-live]");
  for (const words of live.querySelectorAll("[data-say]")) words.hidden = words.dataset.say !== name;
}
