// Sends the guard's token with every request that changes something. A page needs this one line, before its forms:
//
//   <script src="/csrf.js"></script>
//
// Forms with method="post" then need nothing more. Scripts call `portcullis.fetch` where they would call `fetch`.
// A token is good for one request, so each request asks for its own: two tabs and the Back button do not disturb each other.
globalThis.portcullis = (() => {
  const TOKENS = "/.portcullis/csrf";
  const SAFE = ["GET", "HEAD", "OPTIONS"];
  // The guard keeps the eight newest tokens of a browser, and each request brings two. So all tabs together have half as many
  // requests on their way.
  const SLOTS = 4;
  let turn = Math.floor(Math.random() * SLOTS);

  async function token() {
    const answer = await fetch(TOKENS, { method: "POST", credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(`${TOKENS} answers ${answer.status}`);
    return answer.json();
  }

  async function fetchWithToken(resource, options) {
    const request = new Request(resource, options);
    // A token is for this origin alone: nobody else gets to see one.
    if (SAFE.includes(request.method) || new URL(request.url).origin !== location.origin) return fetch(request);
    turn = (turn + 1) % SLOTS;
    return navigator.locks.request(`portcullis-csrf-${turn}`, async () => {
      const { header, token: value } = await token();
      request.headers.set(header, value);
      return fetch(request);
    });
  }

  const waiting = new WeakSet();
  const ready = new WeakSet();

  addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || ready.has(form) || !changesSomethingHere(form, submitter)) return;
    event.preventDefault();
    if (waiting.has(form)) return;
    waiting.add(form);
    try {
      const { field, token: value } = await token();
      hidden(form, field).value = value;
    } catch (error) {
      // It is sent without: then the guard's answer tells the person that it did not work, and nothing is lost in silence.
      console.error(error);
    }
    waiting.delete(form);
    ready.add(form);
    form.requestSubmit(submitter);
    ready.delete(form);
  });

  // Attributes, since a form's properties are hidden by inputs of the same names.
  function changesSomethingHere(form, submitter) {
    const said = (name) => submitter?.getAttribute(`form${name}`) ?? form.getAttribute(name) ?? "";
    const action = new URL(said("action") || location.href, document.baseURI);
    return said("method").toLowerCase() === "post" && action.origin === location.origin;
  }

  function hidden(form, name) {
    const there = form.querySelector(`input[type="hidden"][name="${name}"]`);
    if (there !== null) return there;
    const input = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.prepend(input);
    return input;
  }

  return { fetch: fetchWithToken, token };
})();
