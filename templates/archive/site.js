// What pages do better with JavaScript: filters at once, links copied, jobs closed on their day. Nothing needs it.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // A job that closed since the page was made.
  const now = new Date();
  const today = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
  for (const job of all("[data-closes]")) {
    if (job.dataset.closes < today) {
      job.classList.add("closed");
      const when = job.querySelector(".when");
      if (when) when.textContent = document.documentElement.dataset.closed;
    }
  }

  for (const button of all("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.textContent;
      button.textContent = document.documentElement.dataset.copied;
      setTimeout(() => (button.textContent = words), 2000);
    });
  }

  // The tracker: what is chosen stands in the address, so that it can be shared.
  const form = document.getElementById("filters");
  if (form) {
    const rows = all(".tracker tbody tr");
    const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const fields = [...form.elements].filter((field) => field.name);
    const given = new URLSearchParams(location.search);
    for (const field of fields) field.value = given.get(field.name) || "";
    for (const field of fields) if (field.selectedIndex === -1) field.selectedIndex = 0;
    const show = () => {
      const chosen = fields.filter((field) => field.value);
      let count = 0;
      for (const row of rows) {
        row.hidden = !chosen.every((field) =>
          field.name === "q"
            ? words.get(row).includes(field.value.trim().toLowerCase())
            : (row.dataset[field.name] || "").split(" ").includes(field.value));
        if (!row.hidden) count += 1;
      }
      const output = form.querySelector("output");
      output.textContent = `${count} ${count === 1 ? output.dataset.one : output.dataset.many}`;
      document.querySelector(".nothing").hidden = count > 0;
      const query = new URLSearchParams(chosen.map((field) => [field.name, field.value])).toString();
      if (location.protocol !== "file:") history.replaceState(null, "", query ? `?${query}` : location.pathname);
    };
    form.hidden = false;
    for (const part of all(".plain-filters")) part.hidden = true;
    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(show));
    show();
  }

  const search = document.getElementById("search");
  if (search && window.PagefindUI) {
    new PagefindUI({ element: "#search", showSubResults: true, showImages: false, openFilters: ["kind", "publication"] });
    const given = new URLSearchParams(location.search).get("q");
    const field = search.querySelector("input");
    if (field) field.setAttribute("aria-label", document.documentElement.dataset.search);
    if (field && given) {
      field.value = given;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
})();
