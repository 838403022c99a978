#include "services/upstream/login/token_answer.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "boost/json/value.hpp"
#include "services/core/text/json_members.h"
#include "services/core/text/strict_json.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kLifetimeMin = absl::Seconds(60);
constexpr absl::Duration kLifetimeMax = absl::Hours(24);

absl::Duration LifetimeOf(const boost::json::object& object) {
  const boost::json::value* value = object.if_contains("expires_in");
  if (value == nullptr || !value->is_number()) return kLifetimeMin;
  // A number that is not a duration (NaN cannot be in JSON) becomes an infinite one.
  return std::clamp(absl::Seconds(value->to_number<double>()), kLifetimeMin, kLifetimeMax);
}

bool IsToken(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

}  // namespace

absl::StatusOr<IssuedToken> ParseTokenAnswer(absl::string_view body) {
  const auto value = ParseStrictJson(body);
  // Its message would show where in the body the fault is, and nothing of it; the body may be a page of any kind.
  if (!value.ok() || !value->is_object()) return absl::InvalidArgumentError("is not a JSON object");
  const boost::json::object& object = value->get_object();
  absl::string_view token = JsonText(object, "token");
  if (token.empty()) token = JsonText(object, "access_token");
  if (token.empty()) return absl::InvalidArgumentError("has neither \"token\" nor \"access_token\"");
  if (!IsToken(token)) return absl::InvalidArgumentError("has a token with other bytes than printable ASCII");
  return IssuedToken{.text = std::string(token), .lifetime = LifetimeOf(object)};
}

}  // namespace entrepot::upstream
