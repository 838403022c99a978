#include "services/core/tag.h"

#include <regex>
#include <variant>

#include "services/core/reference.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;
using entrepot::Tag;

FUZZ_TARGET(input) {
  // The grammar of the specification.
  static const std::regex* const kGrammar = new std::regex("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");
  const bool is_tag = input.size() <= 128 && std::regex_match(input.begin(), input.end(), *kGrammar);

  const auto tag = Tag::Parse(input);
  FUZZ_CHECK(tag.ok() == is_tag);
  if (!tag.ok()) {
    entrepot::fuzz::CheckOciError(tag.status(), OciErrorCode::kTagInvalid);
    return;
  }
  FUZZ_CHECK(tag->ToString() == input);
  const auto reference = entrepot::ParseReference(input);
  FUZZ_CHECK(reference.ok() && std::holds_alternative<Tag>(*reference));
}
