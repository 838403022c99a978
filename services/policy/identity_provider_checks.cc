#include "services/policy/identity_provider_checks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/policy/key_set_url.h"
#include "services/policy/name_checks.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

using config::v1::IdentityProvider;

void CheckGiven(const std::string& field, const std::string& value, const char* why,
                runtime::ConfigProblems* problems) {
  if (value.empty()) problems->Add(field, absl::StrCat("is missing: ", why));
}

void CheckKeys(const std::string& field, const IdentityProvider& provider, runtime::ConfigProblems* problems) {
  if (provider.key_set_file().empty() && provider.key_set_url().empty()) {
    problems->Add(field, "needs key_set_file or key_set_url, whose keys verify its tokens");
  } else if (provider.has_key_set_url()) {
    const absl::Status url = CheckKeySetUrl(provider.key_set_url());
    if (!url.ok()) problems->Add(absl::StrCat(field, ".key_set_url"), url.message());
  }
  if (!provider.key_set_ca_file().empty() && !provider.has_key_set_url()) {
    problems->Add(absl::StrCat(field, ".key_set_ca_file"), "has no effect without key_set_url");
  }
}

void CheckClaimRule(const std::string& field, const IdentityProvider::ClaimRule& rule,
                    runtime::ConfigProblems* problems) {
  if (rule.claims().empty()) {
    problems->Add(absl::StrCat(field, ".claims"), "is empty: the rule would match every token of the issuer");
  }
  for (const auto& [claim, pattern] : rule.claims()) {
    if (claim.empty() || pattern.empty()) {
      problems->Add(absl::StrCat(field, ".claims"),
                    absl::StrCat("the claim ", QuotedInput(claim), " needs a name and a pattern"));
    }
  }
  CheckRepositories(absl::StrCat(field, ".repositories"), rule.repositories(), problems);
  CheckActions(absl::StrCat(field, ".actions"), rule.actions(), problems);
}

}  // namespace

void CheckIdentityProviders(const config::v1::Policy& file, runtime::ConfigProblems* problems) {
  UniqueNames names("identity provider", problems);
  UniqueNames issuers("provider for the issuer", problems);
  EachOf("identity_providers", file.identity_providers(),
         [&](const std::string& field, const IdentityProvider& provider) {
           CheckIdentifier(absl::StrCat(field, ".name"), provider.name(), problems);
           names.Add(absl::StrCat(field, ".name"), provider.name());
           CheckGiven(absl::StrCat(field, ".issuer"), provider.issuer(), "the issuer of the accepted tokens", problems);
           issuers.Add(absl::StrCat(field, ".issuer"), provider.issuer());
           CheckGiven(absl::StrCat(field, ".audience"), provider.audience(),
                      "tokens for other services would be accepted", problems);
           CheckKeys(field, provider, problems);
           CheckNotEmpty(absl::StrCat(field, ".rules"), provider.rules().empty(), problems);
           EachOf(absl::StrCat(field, ".rules"), provider.rules(),
                  [&](const std::string& at, const IdentityProvider::ClaimRule& rule) {
                    CheckClaimRule(at, rule, problems);
                  });
         });
}

}  // namespace entrepot::policy
