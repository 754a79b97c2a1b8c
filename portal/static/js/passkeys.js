// Forms that use or make a passkey. The browser's answer goes into the form's hidden field, and the form is sent.
const supported = () => Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON && navigator.credentials);

function say(form, text) {
  const place = form.querySelector("[data-passkey-problem]");
  place.textContent = text;
  place.hidden = !text;
}

async function ask(form) {
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, Accept: "application/json" };
  const answer = await fetch(form.dataset.options, { method: "POST", headers });
  if (!answer.ok || answer.redirected) throw new Error("options");
  const options = await answer.json();
  const site = options.rpId ?? options.rp.id;
  if (location.hostname !== site) {
    throw Object.assign(new Error("site"), { name: "SecurityError", site });
  }
  return options;
}

async function perform(form) {
  const options = await ask(form);
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

const REASONS = {
  NotAllowedError: "The passkey was not used: it was cancelled, or took too long. Try again.",
  InvalidStateError: "This device or password manager has a passkey for you here already.",
  SecurityError: "Passkeys work at this site's own name alone. Open it by the address that its mails give.",
};

function prepare(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    say(form, "");
    perform(form).catch((error) => {
      say(form, REASONS[error.name] ?? "That didn't work. Load the page again, then try once more.");
      button.disabled = false;
    });
  });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) if (supported()) prepare(form);
  for (const note of document.querySelectorAll("[data-passkey-missing]")) note.hidden = supported();
});
