#include "services/policy/lost_restrictions.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "entrepot/config/v1/policy.pb.h"
#include "google/protobuf/repeated_field.h"
#include "services/policy/subject.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

using config::v1::Policy;
using Strings = google::protobuf::RepeatedPtrField<std::string>;
using TagRules = google::protobuf::RepeatedPtrField<Policy::TagRule>;

bool HasAll(const Strings& all, const Strings& part) {
  const std::set<absl::string_view> known(all.begin(), all.end());
  return std::all_of(part.begin(), part.end(), [&](const std::string& one) { return known.contains(one); });
}

bool Covers(const Policy::TagRule& rule, const Policy::TagRule& other) {
  return HasAll(rule.repositories(), other.repositories()) && HasAll(rule.tags(), other.tags()) &&
         HasAll(rule.subjects(), other.subjects());
}

void AddLostRules(absl::string_view field, const TagRules& before, const TagRules& now,
                  std::vector<std::string>* lost) {
  for (int i = 0; i < before.size(); ++i) {
    const bool stays =
        std::any_of(now.begin(), now.end(), [&](const Policy::TagRule& rule) { return Covers(rule, before[i]); });
    if (!stays) lost->push_back(absl::StrCat(field, "[", i, "] ", QuotedInput(before[i].name())));
  }
}

// The groups that rules on tags name.
std::set<std::string, std::less<>> RestrictedGroups(const Policy& file) {
  std::set<std::string, std::less<>> groups;
  for (const Policy::TagRule& rule : file.create_only_tags()) {
    for (absl::string_view subject : rule.subjects()) {
      if (absl::ConsumePrefix(&subject, kGroupPrefix)) groups.emplace(subject);
    }
  }
  return groups;
}

void AddLostMembers(const Policy& before, const Policy& now, std::vector<std::string>* lost) {
  const std::set<std::string, std::less<>> restricted = RestrictedGroups(before);
  for (int i = 0; i < before.groups_size(); ++i) {
    const Policy::Group& group = before.groups(i);
    if (!restricted.contains(group.name())) continue;
    const bool stays = std::any_of(now.groups().begin(), now.groups().end(), [&](const Policy::Group& other) {
      return other.name() == group.name() && HasAll(other.members(), group.members());
    });
    if (!stays) lost->push_back(absl::StrCat("members of groups[", i, "] ", QuotedInput(group.name())));
  }
}

using ClaimRule = config::v1::IdentityProvider::ClaimRule;

bool HasClaim(const ClaimRule& rule, const std::string& name, const std::string& value) {
  const auto found = rule.claims().find(name);
  return found != rule.claims().end() && found->second == value;
}

// Whether `now` gives nothing that `before` does not, but asks for fewer of its claims.
bool LacksClaims(const ClaimRule& now, const ClaimRule& before) {
  return now.claims_size() < before.claims_size() &&
         std::all_of(now.claims().begin(), now.claims().end(),
                     [&](const auto& claim) { return HasClaim(before, claim.first, claim.second); }) &&
         HasAll(before.repositories(), now.repositories()) && HasAll(before.actions(), now.actions());
}

void AddLostClaims(const Policy& before, const Policy& now, std::vector<std::string>* lost) {
  for (int i = 0; i < before.identity_providers_size(); ++i) {
    const config::v1::IdentityProvider& provider = before.identity_providers(i);
    const auto same = std::find_if(now.identity_providers().begin(), now.identity_providers().end(),
                                   [&](const auto& other) { return other.name() == provider.name(); });
    if (same == now.identity_providers().end()) continue;
    const std::string field = absl::StrCat("identity_providers[", i, "] ", QuotedInput(provider.name()));
    if (!provider.key_set_ca_file().empty() && same->key_set_ca_file().empty()) {
      lost->push_back(absl::StrCat("key_set_ca_file of ", field));
    }
    for (int j = 0; j < provider.rules_size(); ++j) {
      const bool lacks = std::any_of(same->rules().begin(), same->rules().end(),
                                     [&](const ClaimRule& rule) { return LacksClaims(rule, provider.rules(j)); });
      if (lacks) lost->push_back(absl::StrCat("claims of rules[", j, "] of ", field));
    }
  }
}

}  // namespace

std::vector<std::string> FindLostRestrictions(const policy::Policy& before, const policy::Policy& now) {
  std::vector<std::string> lost;
  AddLostRules("immutable_tags", before.file().immutable_tags(), now.file().immutable_tags(), &lost);
  AddLostRules("create_only_tags", before.file().create_only_tags(), now.file().create_only_tags(), &lost);
  AddLostMembers(before.file(), now.file(), &lost);
  AddLostClaims(before.file(), now.file(), &lost);
  return lost;
}

}  // namespace entrepot::policy
