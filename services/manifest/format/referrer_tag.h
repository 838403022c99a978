#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_REFERRER_TAG_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_REFERRER_TAG_H_

#include <optional>

#include "services/core/digest.h"
#include "services/core/tag.h"

namespace entrepot::manifest {

// The manifest that a tag belongs to by its name: clients without the referrers API use the tags "sha256-<hex>.sig",
// ".att" and ".sbom" for signatures, attestations and SBOMs (cosign), and "sha256-<hex>" for lists of referrers (the
// fallback of the distribution specification). nullopt for all other tags.
std::optional<Digest> SubjectOfTag(const Tag& tag);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_REFERRER_TAG_H_
