#include "services/auth/identity/claim_rules.h"

#include <algorithm>
#include <vector>

#include "boost/json/string.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/glob.h"

namespace entrepot::auth {
namespace {

namespace json = boost::json;

// The values that all readings of the name find. The path to an object determines how much of the name is left there,
// so that no object is searched twice.
void FindReadings(const json::object& object, absl::string_view name, std::vector<const json::value*>* found) {
  for (size_t dot = name.find('.');; dot = name.find('.', dot + 1)) {
    const absl::string_view first = name.substr(0, dot);
    const json::value* const value = object.if_contains(json::string_view(first.data(), first.size()));
    if (dot == absl::string_view::npos) {
      if (value != nullptr) found->push_back(value);
      return;
    }
    if (value != nullptr && value->is_object()) FindReadings(value->get_object(), name.substr(dot + 1), found);
  }
}

}  // namespace

std::optional<absl::string_view> FindClaim(const json::object& claims, absl::string_view name) {
  std::vector<const json::value*> readings;
  FindReadings(claims, name, &readings);
  if (readings.size() != 1 || !readings.front()->is_string()) return std::nullopt;
  const json::string& text = readings.front()->get_string();
  return absl::string_view(text.data(), text.size());
}

bool MeetsClaims(const config::v1::IdentityProvider::ClaimRule& rule, const json::object& claims) {
  return !rule.claims().empty() && std::all_of(rule.claims().begin(), rule.claims().end(), [&](const auto& needed) {
    const std::optional<absl::string_view> value = FindClaim(claims, needed.first);
    return value.has_value() && GlobMatches(needed.second, *value);
  });
}

}  // namespace entrepot::auth
