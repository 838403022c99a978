#ifndef ENTREPOT_SERVICES_MANIFEST_FORMAT_REFERRER_TAG_H_
#define ENTREPOT_SERVICES_MANIFEST_FORMAT_REFERRER_TAG_H_

#include <optional>

#include "services/core/digest.h"
#include "services/core/tag.h"

namespace entrepot::manifest {

// The manifest that a tag by its name belongs to: clients from before the referrers API tag signatures, attestations
// and SBOMs "sha256-<hex>.sig", ".att" or ".sbom" (cosign), and lists of referrers "sha256-<hex>" (the distribution
// specification's fallback). nullopt for all other tags.
std::optional<Digest> SubjectOfTag(const Tag& tag);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_FORMAT_REFERRER_TAG_H_
