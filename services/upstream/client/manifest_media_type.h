#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_MANIFEST_MEDIA_TYPE_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_MANIFEST_MEDIA_TYPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// The media types of manifests that a request accepts: registries return 404 for a manifest of another type.
inline constexpr absl::string_view kManifestAccept =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

// The type of a Content-Type field, without its parameters. Empty if it does not tell the type of a manifest: there is
// none, or a general one (application/json, text/plain), as file servers give.
std::string ManifestMediaType(absl::string_view content_type);

// The same; a type that is missing or general is replaced by the content's `mediaType`, or by that of an OCI index or
// manifest if the content has the form of one. May be empty.
std::string ManifestMediaType(absl::string_view content_type, absl::string_view content);

// Whether a Content-Type is that of a page for people, which is no answer of a registry.
bool IsWebPage(absl::string_view content_type);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_MANIFEST_MEDIA_TYPE_H_
