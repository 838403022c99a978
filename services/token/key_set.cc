#include "services/token/key_set.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

constexpr size_t kKeysMax = 100;

absl::Status InKey(size_t index, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat("keys[", index, "]: ", status.message()));
}

}  // namespace

KeySet::KeySet(const std::vector<VerificationKey>& keys) {
  for (const VerificationKey& key : keys) keys_.try_emplace(key.kid(), key);
}

absl::StatusOr<KeySet> KeySet::Parse(absl::string_view text) {
  ASSIGN_OR_RETURN(const json::value value, ParseStrictJson(text));
  const json::object* const object = value.if_object();
  const json::value* const keys = object == nullptr ? nullptr : object->if_contains("keys");
  if (keys == nullptr || !keys->is_array()) {
    return absl::InvalidArgumentError("not a JSON Web Key Set: an object with an array \"keys\"");
  }
  const json::array& array = keys->get_array();
  if (array.size() > kKeysMax) return absl::InvalidArgumentError(absl::StrCat("more than ", kKeysMax, " keys"));

  KeySet set;
  for (size_t i = 0; i < array.size(); ++i) {
    if (!array[i].is_object()) return InKey(i, absl::InvalidArgumentError("not an object"));
    absl::StatusOr<VerificationKey> key = VerificationKey::FromJwk(array[i].get_object());
    if (absl::IsUnimplemented(key.status())) continue;
    if (!key.ok()) return InKey(i, key.status());
    std::string kid = key->kid();
    const auto [at, inserted] = set.keys_.try_emplace(std::move(kid), *std::move(key));
    if (!inserted) {
      return InKey(i, absl::InvalidArgumentError(absl::StrCat("the kid ", QuotedInput(at->first), " occurs twice")));
    }
  }
  return set;
}

std::string KeySet::ToJson() const {
  json::array keys;
  for (const auto& [kid, key] : keys_) keys.push_back(key.ToJwk());
  return json::serialize(json::object{{"keys", std::move(keys)}});
}

const VerificationKey* KeySet::Find(absl::string_view kid) const {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? nullptr : &found->second;
}

const VerificationKey* KeySet::Only() const { return keys_.size() == 1 ? &keys_.begin()->second : nullptr; }

}  // namespace entrepot::token
