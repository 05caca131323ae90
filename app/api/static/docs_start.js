// This release of Swagger UI draws documents of OpenAPI 3.0 only. Ours is 3.1 but uses nothing that 3.0 lacks, so the
// page is handed it under the older number; /openapi.json itself says 3.1.
const place = document.getElementById("docs");
fetch(place.dataset.document)
  .then((answer) => answer.json())
  .then((spec) => {
    SwaggerUIBundle({
      spec: { ...spec, openapi: "3.0.3" },
      dom_id: "#docs",
      deepLinking: true,
      defaultModelsExpandDepth: 0,
      validatorUrl: null,
    });
  });
