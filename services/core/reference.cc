#include "services/core/reference.h"

#include <utility>

#include "services/status/status_macros.h"

namespace entrepot {

absl::StatusOr<Reference> ParseReference(absl::string_view text) {
  if (text.find(':') != absl::string_view::npos) {
    ASSIGN_OR_RETURN(Digest digest, Digest::Parse(text));
    return digest;
  }
  ASSIGN_OR_RETURN(Tag tag, Tag::Parse(text));
  return tag;
}

const std::string& ReferenceToString(const Reference& reference) {
  return std::visit([](const auto& named) -> const std::string& { return named.ToString(); }, reference);
}

}  // namespace entrepot
