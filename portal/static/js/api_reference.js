// The interface's reference: draws the OpenAPI description with Swagger UI.
(() => {
  "use strict";
  const place = document.getElementById("api-reference");
  const token = () => document.querySelector('input[name="csrfmiddlewaretoken"]')?.value ?? "";
  window.SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null,
    // A member's own session is protected against forged requests like every form.
    requestInterceptor: (request) => {
      if (request.method === "POST" && !request.headers.Authorization) request.headers["X-CSRFToken"] = token();
      return request;
    },
  });
})();
