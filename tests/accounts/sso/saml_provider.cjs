// A SAML 2.0 identity provider (npm samlp) on a free port, for tests. Its first line of output is the port.
// Arguments: the files of its key and certificate. GET /sso?SAMLRequest=... shows a form; its answer is a signed response.
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");
const samlp = require("samlp");

const key = readFileSync(process.argv[2]);
const cert = readFileSync(process.argv[3]);

const read = (request) =>
  new Promise((resolve) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => resolve(Object.fromEntries(new URLSearchParams(text))));
  });

const escape = (text) => String(text || "").replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

// What the user of the form is to samlp: the NameID and the attributes.
function Mapper(user) {
  return {
    getClaims: () => user.attributes,
    getNameIdentifier: () => ({ nameIdentifier: user.login, nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" }),
  };
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  request.query = Object.fromEntries(url.searchParams);
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (text) => response.end(String(text));
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><html lang="en"><title>Example SAML</title><h1>Example SAML</h1><form method="post" action="/sso">
      <input type="hidden" name="SAMLRequest" value="${escape(request.query.SAMLRequest)}">
      <label>Account <input name="login"></label><label>Mail <input name="email"></label><label>Groups <input name="groups"></label>
      <label>Context <input name="context"></label><button>Sign in</button></form>`);
    return;
  }
  const said = await read(request);
  request.method = "GET"; // samlp inflates a request of the redirect binding alone
  request.query = { SAMLRequest: said.SAMLRequest, RelayState: "" };
  const user = { login: said.login, attributes: { email: said.email, groups: (said.groups || "").split(" ").filter(Boolean), name: "Ada of SAML" } };
  samlp.parseRequest(request, {}, (error, parsed) => {
    if (error) return response.end(String(error));
    return samlp.auth({
      issuer: "urn:example:saml", key, cert, signatureAlgorithm: "rsa-sha256", digestAlgorithm: "sha256", lifetimeInSeconds: 300,
      profileMapper: Mapper, getUserFromRequest: () => user, destination: parsed.assertionConsumerServiceURL,
      recipient: parsed.assertionConsumerServiceURL, getPostURL: (_a, _d, _r, done) => done(null, parsed.assertionConsumerServiceURL),
      ...(said.context ? { authnContextClassRef: said.context } : {}),
    })(request, response, (failure) => response.end(String(failure)));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
