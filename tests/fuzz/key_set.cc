#include "services/token/key_set.h"

#include <string>

#include "services/token/verification_key.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::token::KeySet;
using entrepot::token::VerificationKey;

FUZZ_TARGET(input) {
  const auto keys = KeySet::Parse(input);
  if (!keys.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(keys.status()));
    entrepot::fuzz::CheckMessage(keys.status());
    return;
  }
  const std::string json = keys->ToJson();
  FUZZ_CHECK(json.find("\"d\":") == std::string::npos);
  const auto again = KeySet::Parse(json);
  FUZZ_CHECK(again.ok() && again->ToJson() == json);
  const VerificationKey* const key = keys->Only();
  if (key == nullptr) return;
  FUZZ_CHECK(keys->Find(key->kid()) == key);
  FUZZ_CHECK(!key->Verify("an unsigned text", input));
}
