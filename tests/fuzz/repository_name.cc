#include "services/core/repository_name.h"

#include <regex>
#include <string>

#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;
using entrepot::RepositoryName;

FUZZ_TARGET(input) {
  // The grammar of the specification.
  static const std::regex* const kGrammar =
      new std::regex("[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*");
  const bool is_name = input.size() <= 255 && std::regex_match(input.begin(), input.end(), *kGrammar);

  const auto name = RepositoryName::Parse(input);
  FUZZ_CHECK(name.ok() == is_name);
  if (!name.ok()) {
    entrepot::fuzz::CheckOciError(name.status(), OciErrorCode::kNameInvalid);
    return;
  }
  FUZZ_CHECK(name->ToString() == input);
}
