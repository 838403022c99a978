// Checks every route and method with every kind of caller against one table.
#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gateway/api/request/route_table.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"

namespace entrepot::gateway::api {
namespace {

enum class Identity {
  kNoToken,
  kAnonymousToken,   // A valid token without an account that grants nothing.
  kBadToken,         // Grants everything, with a wrong signature.
  kExpired,          // Grants everything, but is expired.
  kWrongAudience,    // Grants everything, for another audience.
  kOtherRepository,  // Grants everything on another repository.
  kPull,
  kPush,    // pull,push, which clients request to push.
  kDelete,  // delete alone.
  kCatalog,
  kAdministrator,  // Grants everything.
  kInVain,         // Of an account; requested for everything, grants nothing.
  kPullInstead,    // Of an account; requested for everything on the repository, grants pull.
};
constexpr std::array kIdentities = {Identity::kNoToken,    Identity::kAnonymousToken, Identity::kBadToken,
                                    Identity::kExpired,    Identity::kWrongAudience,  Identity::kOtherRepository,
                                    Identity::kPull,       Identity::kPush,           Identity::kDelete,
                                    Identity::kCatalog,    Identity::kAdministrator,  Identity::kInVain,
                                    Identity::kPullInstead};

constexpr const char* Name(Identity identity) {
  switch (identity) {
    case Identity::kNoToken:
      return "no token";
    case Identity::kAnonymousToken:
      return "anonymous token";
    case Identity::kBadToken:
      return "bad token";
    case Identity::kExpired:
      return "expired";
    case Identity::kWrongAudience:
      return "wrong audience";
    case Identity::kOtherRepository:
      return "other repository";
    case Identity::kPull:
      return "pull";
    case Identity::kPush:
      return "push";
    case Identity::kDelete:
      return "delete";
    case Identity::kCatalog:
      return "catalog";
    case Identity::kAdministrator:
      return "administrator";
    case Identity::kInVain:
      return "in vain";
    case Identity::kPullInstead:
      return "pull instead";
  }
  return "";
}

// The callers that are allowed.
struct Allowed {
  bool no_token, anonymous, other, pull, push, del, catalog, administrator;

  constexpr bool Has(Identity identity) const {
    switch (identity) {
      case Identity::kNoToken:
        return no_token;
      case Identity::kAnonymousToken:
        return anonymous;
      // An invalid token never grants more than no token.
      case Identity::kBadToken:
      case Identity::kExpired:
      case Identity::kWrongAudience:
        return no_token;
      case Identity::kOtherRepository:
      case Identity::kInVain:
        return other;
      case Identity::kPull:
      case Identity::kPullInstead:
        return pull;
      case Identity::kPush:
        return push;
      case Identity::kDelete:
        return del;
      case Identity::kCatalog:
        return catalog;
      case Identity::kAdministrator:
        return administrator;
    }
    return false;
  }
};

//                            none  anonym. other  pull   push   delete catalog admin.
constexpr Allowed kAll = {true, true, true, true, true, true, true, true};
constexpr Allowed kHolders = {false, true, true, true, true, true, true, true};
constexpr Allowed kReaders = {false, false, false, true, true, false, false, true};
constexpr Allowed kWriters = {false, false, false, false, true, false, false, true};
constexpr Allowed kDeleters = {false, false, false, false, false, true, false, true};
constexpr Allowed kListers = {false, false, false, false, false, false, true, true};
constexpr Allowed kAdmins = {false, false, false, false, false, false, false, true};

struct Row {
  RouteFamily family;
  absl::string_view method;
  Allowed allowed;
  int status;  // Of the response to an allowed caller.
};

using F = RouteFamily;
// 404 if the content, or the upstreams, do not exist.
constexpr std::array kMatrix = {
    Row{F::kBase, "GET", kHolders, 200},
    Row{F::kBase, "HEAD", kHolders, 200},
    Row{F::kRepositoryList, "GET", kListers, 200},
    Row{F::kRepositoryList, "HEAD", kListers, 200},
    Row{F::kBlob, "GET", kReaders, 200},
    Row{F::kBlob, "HEAD", kReaders, 200},
    Row{F::kBlob, "DELETE", kDeleters, 202},
    Row{F::kUploadStart, "POST", kWriters, 202},
    Row{F::kUploadSession, "GET", kWriters, 404},
    Row{F::kUploadSession, "HEAD", kWriters, 404},
    Row{F::kUploadSession, "PATCH", kWriters, 404},
    Row{F::kUploadSession, "PUT", kWriters, 404},
    Row{F::kUploadSession, "DELETE", kWriters, 404},
    Row{F::kManifest, "GET", kReaders, 200},
    Row{F::kManifest, "HEAD", kReaders, 200},
    Row{F::kManifest, "PUT", kWriters, 201},
    Row{F::kManifest, "DELETE", kDeleters, 202},
    Row{F::kTagList, "GET", kReaders, 200},
    Row{F::kTagList, "HEAD", kReaders, 200},
    Row{F::kReferrers, "GET", kReaders, 200},
    Row{F::kReferrers, "HEAD", kReaders, 200},
    Row{F::kToken, "GET", kAll, 200},
    Row{F::kToken, "POST", kAll, 200},
    Row{F::kKeySet, "GET", kAll, 200},
    Row{F::kKeySet, "HEAD", kAll, 200},
    Row{F::kAdmin, "POST", kAdmins, 200},
    Row{F::kRepository, "DELETE", kAdmins, 200},
    Row{F::kMaintenance, "POST", kAdmins, 200},
    Row{F::kUpstreams, "POST", kAdmins, 404},
    Row{F::kFrontPage, "GET", kAll, 200},
    Row{F::kFrontPage, "HEAD", kAll, 200},
};

constexpr size_t RowsOf(RouteFamily family, absl::string_view method) {
  size_t rows = 0;
  for (const Row& row : kMatrix) {
    if (row.family == family && row.method == method) ++rows;
  }
  return rows;
}

constexpr bool EveryMethodHasOneRow() {
  size_t methods = 0;
  for (const RouteInfo& info : kRouteTable) {
    for (const RouteMethod& method : info.methods) {
      ++methods;
      if (RowsOf(info.family, method.name) != 1) return false;
    }
  }
  return methods == kMatrix.size();
}
static_assert(EveryMethodHasOneRow(), "a method of route_table.h has no row in kMatrix, or a row no method");

constexpr char kExisting[] = "team/app";
// Of the same length; nothing was ever pushed to it.
constexpr char kMissing[] = "team/not";
constexpr char kOther[] = "team/web";
constexpr char kReason[] = "no rule allows it";

// The digest of "{}", which PushImage() pushes.
std::string ConfigDigest() { return ComputeDigest(DigestAlgorithm::kSha256, "{}").ToString(); }

// A value for the argument of a route's pattern.
std::string Argument(absl::string_view placeholder) {
  if (placeholder == "{digest}") return ConfigDigest();
  if (placeholder == "{reference}") return "latest";
  if (placeholder == "{session}") return std::string(32, '0');
  if (placeholder.empty()) return "";
  std::cerr << "no value for " << placeholder << std::endl;
  std::abort();
}

std::string Target(RouteFamily family, absl::string_view repository) {
  const std::string path = RoutePath(family, repository, Argument(GetRouteInfo(family).pattern.argument()));
  return family == RouteFamily::kUploadSession ? absl::StrCat(path, "?digest=", ConfigDigest()) : path;
}

struct Content {
  std::string body, fields;
};

Content ContentOf(const Row& row) {
  if (row.family == RouteFamily::kManifest && row.method == "PUT") return {TestRegistry::Image(), kImageContentType};
  if (row.family == RouteFamily::kMaintenance) return {R"({"getStatus":{}})", kJsonContentType};
  if (row.family == RouteFamily::kUpstreams) return {R"({"listUpstreams":{}})", kJsonContentType};
  if (row.family == RouteFamily::kAdmin) return {R"({"listKeys":{}})", kJsonContentType};
  if (row.family == RouteFamily::kToken && row.method == "POST") {
    return {"grant_type=password&username=ann&password=secret", "Content-Type: application/x-www-form-urlencoded\r\n"};
  }
  return {};
}

std::string Everything(absl::string_view repository) {
  return absl::StrCat("repository:", repository, ":* registry:catalog:* registry:administration:*");
}

// The header line with the token; "" without one.
std::string Credential(const TestAuth& auth, Identity identity, absl::string_view repository) {
  const std::string repository_scope = absl::StrCat("repository:", repository, ":");
  token::RegistryClaims claims = auth.Claims("someone", Everything(repository));
  switch (identity) {
    case Identity::kNoToken:
      return "";
    case Identity::kAnonymousToken:
      return Bearer(auth.Token("", ""));
    case Identity::kBadToken: {
      std::string token = auth.Sign(claims);
      char& c = token[token.size() - 10];
      c = c == 'A' ? 'B' : 'A';
      return Bearer(token);
    }
    case Identity::kExpired:
      claims.issued_at = claims.not_before = claims.expires_at - absl::Hours(1);
      claims.expires_at -= absl::Minutes(30);
      return Bearer(auth.Sign(claims));
    case Identity::kWrongAudience:
      claims.audience = "another-registry";
      return Bearer(auth.Sign(claims));
    case Identity::kOtherRepository:
      return Bearer(auth.Token("someone", absl::StrCat("repository:", kOther, ":*")));
    case Identity::kPull:
      return Bearer(auth.Token("someone", repository_scope + "pull"));
    case Identity::kPush:
      return Bearer(auth.Token("someone", repository_scope + "pull,push"));
    case Identity::kDelete:
      return Bearer(auth.Token("someone", repository_scope + "delete"));
    case Identity::kCatalog:
      return Bearer(auth.Token("someone", "registry:catalog:*"));
    case Identity::kAdministrator:
      return Bearer(auth.Sign(claims));
    case Identity::kInVain:
      claims.access = ParseAccessScopes(repository_scope).value();
      claims.denied = {{AccessScope::Parse(repository_scope + "delete,pull,push").value(), kReason},
                       {AccessScope::Parse(kCatalogScope).value(), kReason},
                       {AccessScope::Parse(kAdministrationScope).value(), kReason}};
      return Bearer(auth.Sign(claims));
    case Identity::kPullInstead:
      claims.access = ParseAccessScopes(repository_scope + "pull").value();
      claims.denied = {{AccessScope::Parse(repository_scope + "delete,push").value(), kReason}};
      return Bearer(auth.Sign(claims));
  }
  std::abort();
}

// Whether the identity is an account that requested the permission in vain.
bool IsInVain(Identity identity, const Row& row) {
  const Permission permission = GetRouteInfo(row.family).Find(row.method)->permission;
  const bool of_registry = permission == Permission::kCatalog || permission == Permission::kAdmin;
  return identity == Identity::kInVain || (identity == Identity::kPullInstead && !of_registry);
}

std::string ExpectedError(Identity identity) {
  switch (identity) {
    case Identity::kNoToken:
      return "";
    case Identity::kBadToken:
    case Identity::kExpired:
    case Identity::kWrongAudience:
      return ",error=\"invalid_token\"";
    default:
      return ",error=\"insufficient_scope\"";
  }
}

std::string ExpectedScope(const Row& row, absl::string_view repository) {
  switch (GetRouteInfo(row.family).Find(row.method)->permission) {
    case Permission::kNone:
    case Permission::kAnyToken:
      return "";
    case Permission::kPull:
      return absl::StrCat(",scope=\"repository:", repository, ":pull\"");
    case Permission::kPush:
      return absl::StrCat(",scope=\"repository:", repository, ":pull,push\"");
    case Permission::kDelete:
      return absl::StrCat(",scope=\"repository:", repository, ":delete\"");
    case Permission::kCatalog:
      return ",scope=\"registry:catalog:*\"";
    case Permission::kAdmin:
      return ",scope=\"registry:administration:*\"";
  }
  std::abort();
}

class AccessMatrixTest : public testing::TestWithParam<Row> {
 protected:
  AccessMatrixTest() {
    registry_.AddToRequests(Bearer(auth_.Token("pusher", absl::StrCat("repository:", kExisting, ":pull,push"))));
    registry_.PushImage(kExisting, "latest");
    registry_.AddToRequests("");
  }

  RawResponse Call(Identity identity, absl::string_view repository) {
    const Row& row = GetParam();
    const Content content = ContentOf(row);
    return registry_.Call(row.method, Target(row.family, repository), content.body,
                          absl::StrCat(content.fields, Credential(auth_, identity, repository)));
  }

  TestAuth auth_;
  TestRegistry registry_{{}, auth_.accounts()};
};

TEST_P(AccessMatrixTest, AllowsExactlyTheCallersInTheTable) {
  const Row& row = GetParam();
  for (const Identity identity : kIdentities) {
    if (!row.allowed.Has(identity)) {
      const RawResponse response = Call(identity, kExisting);
      const bool is_in_vain = IsInVain(identity, row);
      if (is_in_vain && row.method != "HEAD") {
        EXPECT_EQ(response.status, 403) << Name(identity);
        EXPECT_EQ(response.Field("www-authenticate"), "(none)") << Name(identity);
        EXPECT_EQ(ErrorCode(response), "DENIED") << Name(identity);
        EXPECT_TRUE(absl::StrContains(response.body, kReason)) << response.body;
        continue;
      }
      EXPECT_EQ(response.status, 401) << Name(identity);
      const std::string challenge = absl::StrCat("Bearer realm=\"http://localhost/token\",service=\"", kTestService,
                                                 "\"", ExpectedScope(row, kExisting), ExpectedError(identity));
      if (is_in_vain) {
        EXPECT_TRUE(absl::StartsWith(response.Field("www-authenticate"), challenge)) << Name(identity);
        EXPECT_TRUE(absl::StrContains(response.Field("www-authenticate"), kReason)) << Name(identity);
      } else {
        EXPECT_EQ(response.Field("www-authenticate"), challenge) << Name(identity);
      }
      if (row.method != "HEAD") {
        EXPECT_EQ(ErrorCode(response), "UNAUTHORIZED") << Name(identity);
      }
    }
  }
  // An allowed request may change content, so each has a registry of its own.
  for (const Identity identity : kIdentities) {
    if (!row.allowed.Has(identity)) continue;
    TestRegistry registry{{}, auth_.accounts()};
    registry.AddToRequests(Bearer(auth_.Token("pusher", absl::StrCat("repository:", kExisting, ":pull,push"))));
    registry.PushImage(kExisting, "latest");
    registry.AddToRequests("");
    const Content content = ContentOf(row);
    // A token is not a credential for GET /token.
    const bool is_get_token = row.family == RouteFamily::kToken && row.method == "GET";
    const int expected = is_get_token && identity != Identity::kNoToken ? 400 : row.status;
    const RawResponse response = registry.Call(row.method, Target(row.family, kExisting), content.body,
                                               absl::StrCat(content.fields, Credential(auth_, identity, kExisting)));
    EXPECT_EQ(response.status, expected) << Name(identity) << ": " << response.body;
  }
}

TEST_P(AccessMatrixTest, DenialsDoNotDependOnWhetherTheRepositoryExists) {
  const Row& row = GetParam();
  for (const Identity identity : kIdentities) {
    if (row.allowed.Has(identity)) continue;
    const RawResponse existing = Call(identity, kExisting);
    const RawResponse missing = Call(identity, kMissing);
    EXPECT_EQ(existing.status, missing.status) << Name(identity);
    EXPECT_EQ(existing.body, absl::StrReplaceAll(missing.body, {{kMissing, kExisting}})) << Name(identity);
    ASSERT_EQ(existing.fields.size(), missing.fields.size()) << Name(identity);
    for (const auto& [name, value] : missing.fields) {
      if (name == "x-request-id" || name == "date") continue;
      EXPECT_EQ(existing.Field(name), absl::StrReplaceAll(value, {{kMissing, kExisting}}))
          << Name(identity) << " " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AccessMatrixTest, testing::ValuesIn(kMatrix), [](const auto& info) {
  const RouteInfo& route = GetRouteInfo(info.param.family);
  return absl::StrCat(std::string(route.label), "_", std::string(info.param.method));
});

}  // namespace
}  // namespace entrepot::gateway::api
