#include "services/auth/denied_scopes.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/auth/accounts/permissions.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DeniedScopesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(policy_, policy::Policy::Parse(R"(
administrators: [admin]
rules:
  - {name: looking, subjects: [prod], repositories: [web], actions: [pull]}
)",
                                                        "policy.yaml"));
  }

  std::vector<token::DeniedScope> Denied(const std::string& name, const std::string& scopes) const {
    const Account account{.subject = {.account = name, .groups = {}}};
    const std::vector<AccessScope> requested = ParseAccessScopes(scopes).value();
    return DeniedScopes(*policy_, account, requested, GrantScopes(*policy_, account, requested));
  }
  // As "scope reason".
  std::vector<std::string> Texts(const std::string& name, const std::string& scopes) const {
    std::vector<std::string> texts;
    for (const token::DeniedScope& denied : Denied(name, scopes)) {
      texts.push_back(absl::StrCat(denied.scope.ToString(), " ", denied.reason));
    }
    return texts;
  }

  std::shared_ptr<const policy::Policy> policy_;
};

TEST_F(DeniedScopesTest, AreThoseThatAreNotGranted) {
  EXPECT_THAT(Texts("prod", "repository:web:pull"), IsEmpty());
  EXPECT_THAT(Texts("prod", "repository:web:pull,push"),
              ElementsAre("repository:web:push rule 1 (\"looking\") of policy.yaml allows only pull"));
  EXPECT_THAT(Texts("prod", "repository:web:*"),
              ElementsAre("repository:web:delete,push rule 1 (\"looking\") of policy.yaml allows only pull"));
  EXPECT_THAT(Texts("prod", "repository:secret:pull repository:web:pull repository:other:push"),
              ElementsAre("repository:secret:pull no rule of policy.yaml allows it",
                          "repository:other:push no rule of policy.yaml allows it"));
  EXPECT_THAT(Texts("admin", "repository:web:* registry:catalog:* registry:administration:*"), IsEmpty());
}

TEST_F(DeniedScopesTest, IncludeThoseOfTheRegistry) {
  EXPECT_THAT(Texts("prod", "registry:administration:* registry:catalog:*"),
              ElementsAre("registry:administration:* it is not an administrator"));
  EXPECT_THAT(Texts("eve", "registry:catalog:*"),
              ElementsAre("registry:catalog:* it may not pull from any repository"));
}

TEST_F(DeniedScopesTest, LeaveOutWhatNoRouteNeeds) {
  EXPECT_THAT(Texts("eve",
                    "registry:other:* registry:catalog:pull plugin:web:pull repository:Web:pull repository:web:fly "
                    "repository:web:"),
              IsEmpty());
}

TEST_F(DeniedScopesTest, AreNotShownToAnonymousClients) {
  EXPECT_THAT(Texts("", "repository:secret:pull registry:catalog:* registry:administration:*"), IsEmpty());
}

TEST_F(DeniedScopesTest, AreBoundedInSize) {
  std::string scopes;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&scopes, "repository:", std::string(100, 'x'), i, ":pull ");
  const std::vector<token::DeniedScope> denied = Denied("prod", scopes);
  size_t bytes = 0;
  for (const token::DeniedScope& each : denied) bytes += each.scope.name.size() + each.reason.size();
  EXPECT_GT(bytes, 1800u);
  EXPECT_LE(bytes, 2048u);
  // One that is denied after many that are granted is not lost.
  std::string mixed;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&mixed, "repository:r", i, ":pull ");
  EXPECT_THAT(Denied("admin", mixed), IsEmpty());
  EXPECT_THAT(Denied("prod", "repository:web:pull repository:secret:pull"), SizeIs(1));
}

}  // namespace
}  // namespace entrepot::auth
