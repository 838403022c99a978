// Every route and method against every kind of caller, from one table: who is let in.
#include <array>
#include <cstdlib>
#include <string>

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
  kNobody,           // No token at all.
  kAnonymousToken,   // A good token of nobody, for nothing.
  kBadToken,         // Its signature is wrong.
  kExpired,          // The rest would do for everything.
  kWrongAudience,    // The same.
  kOtherRepository,  // Everything, but elsewhere.
  kPull,
  kPush,    // pull,push: what a client asks for that pushes.
  kDelete,  // delete alone.
  kCatalog,
  kAdministrator,  // Everything.
};
constexpr std::array kIdentities = {Identity::kNobody,  Identity::kAnonymousToken, Identity::kBadToken,
                                    Identity::kExpired, Identity::kWrongAudience,  Identity::kOtherRepository,
                                    Identity::kPull,    Identity::kPush,           Identity::kDelete,
                                    Identity::kCatalog, Identity::kAdministrator};

constexpr const char* Name(Identity identity) {
  switch (identity) {
    case Identity::kNobody:
      return "nobody";
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
  }
  return "";
}

// Who is let in.
struct Allowed {
  bool nobody, anonymous, other, pull, push, del, catalog, administrator;

  constexpr bool Has(Identity identity) const {
    switch (identity) {
      case Identity::kNobody:
        return nobody;
      case Identity::kAnonymousToken:
        return anonymous;
      // A token that is not good is never better than none.
      case Identity::kBadToken:
      case Identity::kExpired:
      case Identity::kWrongAudience:
        return nobody;
      case Identity::kOtherRepository:
        return other;
      case Identity::kPull:
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

//                            nobody anonym. other  pull   push   delete catalog admin.
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
  int status;  // The answer to whoever is let in.
};

using F = RouteFamily;
// Content that is not there gives 404 to whoever may know that.
constexpr std::array kMatrix = {
    Row{F::kBase, "GET", kHolders, 200},         Row{F::kBase, "HEAD", kHolders, 200},
    Row{F::kCatalog, "GET", kListers, 200},      Row{F::kCatalog, "HEAD", kListers, 200},
    Row{F::kBlob, "GET", kReaders, 200},         Row{F::kBlob, "HEAD", kReaders, 200},
    Row{F::kBlob, "DELETE", kDeleters, 202},     Row{F::kUploads, "POST", kWriters, 202},
    Row{F::kUpload, "GET", kWriters, 404},       Row{F::kUpload, "HEAD", kWriters, 404},
    Row{F::kUpload, "PATCH", kWriters, 404},     Row{F::kUpload, "PUT", kWriters, 404},
    Row{F::kUpload, "DELETE", kWriters, 404},    Row{F::kManifest, "GET", kReaders, 200},
    Row{F::kManifest, "HEAD", kReaders, 200},    Row{F::kManifest, "PUT", kWriters, 201},
    Row{F::kManifest, "DELETE", kDeleters, 202}, Row{F::kTags, "GET", kReaders, 200},
    Row{F::kTags, "HEAD", kReaders, 200},        Row{F::kReferrers, "GET", kReaders, 200},
    Row{F::kReferrers, "HEAD", kReaders, 200},   Row{F::kToken, "GET", kAll, 200},
    Row{F::kToken, "POST", kAll, 200},           Row{F::kKeySet, "GET", kAll, 200},
    Row{F::kKeySet, "HEAD", kAll, 200},          Row{F::kAdminister, "POST", kAdmins, 200},
    Row{F::kRepository, "DELETE", kAdmins, 200}, Row{F::kMaintain, "POST", kAdmins, 200},
};

constexpr size_t RowsOf(RouteFamily family, absl::string_view method) {
  size_t rows = 0;
  for (const Row& row : kMatrix) {
    if (row.family == family && row.method == method) ++rows;
  }
  return rows;
}

constexpr bool EveryMethodHasItsRow() {
  size_t methods = 0;
  for (const RouteInfo& info : kRouteTable) {
    for (const RouteMethod& method : info.methods) {
      ++methods;
      if (RowsOf(info.family, method.name) != 1) return false;
    }
  }
  return methods == kMatrix.size();
}
static_assert(EveryMethodHasItsRow(), "a method of route_table.h has no row in kMatrix, or a row no method");

constexpr char kThere[] = "team/app";
// As long, and nothing was ever pushed to it.
constexpr char kNotThere[] = "team/not";
constexpr char kElsewhere[] = "team/web";

// "{}", which PushImage() pushes.
std::string ConfigDigest() { return ComputeDigest(DigestAlgorithm::kSha256, "{}").ToString(); }

std::string Target(RouteFamily family, absl::string_view repository) {
  switch (family) {
    case RouteFamily::kBase:
      return "/v2/";
    case RouteFamily::kCatalog:
      return "/v2/_catalog";
    case RouteFamily::kBlob:
      return absl::StrCat("/v2/", repository, "/blobs/", ConfigDigest());
    case RouteFamily::kUploads:
      return absl::StrCat("/v2/", repository, "/blobs/uploads/");
    case RouteFamily::kUpload:
      return absl::StrCat("/v2/", repository, "/blobs/uploads/", std::string(32, '0'), "?digest=", ConfigDigest());
    case RouteFamily::kManifest:
      return absl::StrCat("/v2/", repository, "/manifests/latest");
    case RouteFamily::kTags:
      return absl::StrCat("/v2/", repository, "/tags/list");
    case RouteFamily::kReferrers:
      return absl::StrCat("/v2/", repository, "/referrers/", ConfigDigest());
    case RouteFamily::kToken:
      return "/token";
    case RouteFamily::kKeySet:
      return "/.well-known/jwks.json";
    case RouteFamily::kMaintain:
      return "/entrepot/v1/maintain";
    case RouteFamily::kAdminister:
      return "/entrepot/v1/administer";
    case RouteFamily::kRepository:
      return absl::StrCat("/entrepot/v1/repositories/", repository);
  }
  std::abort();
}

struct Content {
  std::string body, fields;
};

Content ContentOf(const Row& row) {
  if (row.family == RouteFamily::kManifest && row.method == "PUT") return {TestRegistry::Image(), kImageContentType};
  if (row.family == RouteFamily::kMaintain) return {R"({"getStatus":{}})", ""};
  if (row.family == RouteFamily::kAdminister) return {R"({"listKeys":{}})", ""};
  if (row.family == RouteFamily::kToken && row.method == "POST") {
    return {"grant_type=password&username=ann&password=secret", "Content-Type: application/x-www-form-urlencoded\r\n"};
  }
  return {};
}

std::string Everything(absl::string_view repository) {
  return absl::StrCat("repository:", repository, ":* registry:catalog:* registry:administration:*");
}

// The token's header line, "" without one.
std::string Credential(const TestAuth& auth, Identity identity, absl::string_view repository) {
  const std::string repository_scope = absl::StrCat("repository:", repository, ":");
  token::RegistryClaims claims = auth.Claims("someone", Everything(repository));
  switch (identity) {
    case Identity::kNobody:
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
      return Bearer(auth.Token("someone", absl::StrCat("repository:", kElsewhere, ":*")));
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
  }
  std::abort();
}

std::string ExpectedError(Identity identity) {
  switch (identity) {
    case Identity::kNobody:
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
  switch (GetRouteInfo(row.family).Find(row.method)->need) {
    case Need::kNothing:
    case Need::kAnyToken:
      return "";
    case Need::kPull:
      return absl::StrCat(",scope=\"repository:", repository, ":pull\"");
    case Need::kPush:
      return absl::StrCat(",scope=\"repository:", repository, ":pull,push\"");
    case Need::kDelete:
      return absl::StrCat(",scope=\"repository:", repository, ":delete\"");
    case Need::kCatalog:
      return ",scope=\"registry:catalog:*\"";
    case Need::kAdminister:
      return ",scope=\"registry:administration:*\"";
  }
  std::abort();
}

class AccessMatrixTest : public testing::TestWithParam<Row> {
 protected:
  AccessMatrixTest() {
    registry_.AddToRequests(Bearer(auth_.Token("pusher", absl::StrCat("repository:", kThere, ":pull,push"))));
    registry_.PushImage(kThere, "latest");
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

TEST_P(AccessMatrixTest, LetsInWhomTheTableNames) {
  const Row& row = GetParam();
  for (const Identity identity : kIdentities) {
    if (!row.allowed.Has(identity)) {
      const RawResponse response = Call(identity, kThere);
      EXPECT_EQ(response.status, 401) << Name(identity);
      EXPECT_EQ(response.Field("www-authenticate"),
                absl::StrCat("Bearer realm=\"http://localhost/token\",service=\"", kTestService, "\"",
                             ExpectedScope(row, kThere), ExpectedError(identity)))
          << Name(identity);
      if (row.method != "HEAD") {
        EXPECT_EQ(ErrorCode(response), "UNAUTHORIZED") << Name(identity);
      }
    }
  }
  // Whoever is let in may change what is there: each has a registry to itself.
  for (const Identity identity : kIdentities) {
    if (!row.allowed.Has(identity)) continue;
    TestRegistry registry{{}, auth_.accounts()};
    registry.AddToRequests(Bearer(auth_.Token("pusher", absl::StrCat("repository:", kThere, ":pull,push"))));
    registry.PushImage(kThere, "latest");
    registry.AddToRequests("");
    const Content content = ContentOf(row);
    // Where a token is asked for, one is no credential.
    const bool is_get_token = row.family == RouteFamily::kToken && row.method == "GET";
    const int expected = is_get_token && identity != Identity::kNobody ? 400 : row.status;
    const RawResponse response = registry.Call(row.method, Target(row.family, kThere), content.body,
                                               absl::StrCat(content.fields, Credential(auth_, identity, kThere)));
    EXPECT_EQ(response.status, expected) << Name(identity) << ": " << response.body;
  }
}

TEST_P(AccessMatrixTest, RefusesAlikeWhetherOrNotTheRepositoryIsThere) {
  const Row& row = GetParam();
  for (const Identity identity : kIdentities) {
    if (row.allowed.Has(identity)) continue;
    const RawResponse there = Call(identity, kThere);
    const RawResponse not_there = Call(identity, kNotThere);
    EXPECT_EQ(there.status, not_there.status) << Name(identity);
    EXPECT_EQ(there.body, absl::StrReplaceAll(not_there.body, {{kNotThere, kThere}})) << Name(identity);
    ASSERT_EQ(there.fields.size(), not_there.fields.size()) << Name(identity);
    for (const auto& [name, value] : not_there.fields) {
      if (name == "x-request-id" || name == "date") continue;
      EXPECT_EQ(there.Field(name), absl::StrReplaceAll(value, {{kNotThere, kThere}})) << Name(identity) << " " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AccessMatrixTest, testing::ValuesIn(kMatrix), [](const auto& info) {
  const RouteInfo& route = GetRouteInfo(info.param.family);
  return absl::StrCat(std::string(route.label), "_", std::string(info.param.method));
});

}  // namespace
}  // namespace entrepot::gateway::api
