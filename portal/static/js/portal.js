// Menus, theme, copy buttons and the session's end. Every page works without this file.
const all = (selector, within = document) => within.querySelectorAll(selector);

function menus() {
  document.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details.menu[open]")) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });
  for (const menu of all("details.menu")) {
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
  }
}

function navigation() {
  const toggle = document.querySelector("[data-nav-toggle]");
  if (!toggle) return;
  const side = document.getElementById(toggle.getAttribute("aria-controls"));
  const set = (open) => {
    toggle.setAttribute("aria-expanded", String(open));
    side.classList.toggle("is-open", open);
    if (open) side.querySelector("a").focus();
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => set(toggle.getAttribute("aria-expanded") !== "true"));
  side.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && toggle.getAttribute("aria-expanded") === "true") {
      set(false);
      toggle.focus();
    }
  });
}

function themes() {
  const menu = document.querySelector("[data-theme-menu]");
  if (!menu) return;
  menu.hidden = false;
  for (const button of all("[data-theme-set]", menu)) {
    button.addEventListener("click", () => {
      window.setTheme(button.dataset.themeSet);
      for (const other of all("[data-theme-set]", menu)) other.setAttribute("aria-pressed", String(other === button));
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
}

function copying(within) {
  if (!navigator.clipboard) return;
  for (const button of all("[data-copy]", within)) {
    button.hidden = false;
    const word = button.querySelector("span");
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
        word.textContent = "Copied";
      } catch {
        word.textContent = "Not permitted";
      }
      setTimeout(() => { word.textContent = "Copy"; }, 2000);
    });
  }
}

// Parts under headings become tabs; without this they stand one below the other.
function tabsets() {
  for (const [set, box] of [...all("[data-tabset]")].entries()) {
    const panels = [...all("[data-tab]", box)];
    if (panels.length < 2) continue;
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Ways to mend it");
    const buttons = panels.map((panel, index) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", id: `tab-${set}-${index}`, textContent: panel.dataset.tab });
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", (panel.id = `panel-${set}-${index}`));
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", button.id);
      panel.querySelector("h3").hidden = true;
      list.append(button);
      return button;
    });
    const choose = (chosen) => buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    });
    buttons.forEach((button, index) => button.addEventListener("click", () => choose(index)));
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
      choose(next);
      buttons[next].focus();
    });
    box.prepend(list);
    choose(0);
  }
}

// Where tabs don't fit beside each other, the one that is open is in sight.
function openTabs() {
  for (const tab of all(".tabs > [aria-current]")) {
    const box = tab.parentElement;
    const left = tab.offsetLeft - box.offsetLeft;
    if (left + tab.offsetWidth > box.clientWidth) box.scrollLeft = left - (box.clientWidth - tab.offsetWidth) / 2;
  }
}

// Of a box of very many choices, the first that is ticked is in sight.
function longChoices() {
  for (const box of all(".choice-grid.is-many")) {
    const ticked = box.querySelector(":checked");
    if (ticked) box.scrollTop += ticked.getBoundingClientRect().top - box.getBoundingClientRect().top - 12;
  }
}

function scrollers(within) {
  for (const box of all(".scroll, pre", within)) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  }
}

// The server alone knows how much time is left: another tab may have used the session meanwhile.
function session() {
  const dialog = document.querySelector("[data-session]");
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const said = dialog.querySelector("[data-session-left]");
  const warning = Number(dialog.dataset.warning);
  let endsAt = Date.now() + Number(dialog.dataset.idle) * 1000;
  const left = () => Math.ceil((endsAt - Date.now()) / 1000);
  const learn = async (url, options) => {
    const answer = await fetch(url, { headers: { "X-Background": "1", Accept: "application/json" }, ...options });
    if (answer.status === 401 || answer.status === 403 || answer.redirected) return end();
    if (answer.ok) endsAt = Date.now() + Number((await answer.json()).seconds_left) * 1000;
  };
  const end = () => { location.href = dialog.dataset.endedUrl; };
  const look = async () => {
    if (left() > warning && !dialog.open) return;
    if (!dialog.open || left() <= 0) await learn(dialog.dataset.statusUrl).catch(() => {});
    if (left() <= 0) return end();
    if (left() > warning) { if (dialog.open) dialog.close(); return; }
    if (!dialog.open) dialog.showModal();
    const seconds = left();
    if (seconds % 15 === 0 || seconds <= 5) said.textContent = `${seconds} seconds are left.`;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, Accept: "application/json" };
    await learn(form.action, { method: "POST", headers }).catch(() => {});
    if (left() > warning) dialog.close();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.requestConfig.headers["X-Background"]) endsAt = Date.now() + Number(dialog.dataset.idle) * 1000;
  });
  setInterval(look, 1000);
}

function printing() {
  for (const button of all("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

document.addEventListener("DOMContentLoaded", () => {
  menus();
  navigation();
  themes();
  copying(document);
  printing();
  tabsets();
  openTabs();
  longChoices();
  scrollers(document);
  session();
  for (const form of all("form[data-submit-at-once]")) form.requestSubmit();
  for (const field of all("[data-submit-on-change]")) field.addEventListener("change", () => field.form.requestSubmit());
});
document.addEventListener("htmx:afterSwap", (event) => {
  copying(event.target);
  scrollers(event.target);
});
