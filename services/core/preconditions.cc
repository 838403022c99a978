#include "services/core/preconditions.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/status/oci_error.h"

namespace entrepot {
namespace {

absl::Status Failed(absl::string_view field, const std::optional<Digest>& current) {
  const std::string is = current.has_value() ? absl::StrCat("it is ", current->ToString()) : "it does not exist";
  return OciError(OciErrorCode::kPreconditionFailed, absl::StrCat("the request's ", field, " does not hold: ", is));
}

}  // namespace

bool EntityTags::Match(const std::optional<Digest>& current) const {
  if (!current.has_value()) return false;
  return any || std::find(digests.begin(), digests.end(), *current) != digests.end();
}

absl::Status Preconditions::Check(const std::optional<Digest>& current) const {
  if (if_match.has_value() && !if_match->Match(current)) return Failed("If-Match", current);
  if (if_none_match.has_value() && if_none_match->Match(current)) return Failed("If-None-Match", current);
  return absl::OkStatus();
}

}  // namespace entrepot
