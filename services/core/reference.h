#ifndef ENTREPOT_SERVICES_CORE_REFERENCE_H_
#define ENTREPOT_SERVICES_CORE_REFERENCE_H_

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"
#include "services/core/tag.h"

namespace entrepot {

// A reference to a manifest within its repository: a tag or a digest.
using Reference = std::variant<Tag, Digest>;

// A text with a colon is parsed as a digest (a tag cannot contain one), any other text as a tag. kInvalidArgument with
// DIGEST_INVALID or TAG_INVALID.
absl::StatusOr<Reference> ParseReference(absl::string_view text);

const std::string& ReferenceToString(const Reference& reference);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_REFERENCE_H_
