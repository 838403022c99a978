#include "services/token/signature_algorithm.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::token {
namespace {

TEST(SignatureAlgorithmTest, ParsesItsOwnNames) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa, SignatureAlgorithm::kRs256}) {
    EXPECT_THAT(ParseSignatureAlgorithm(ToString(algorithm)), IsOkAndHolds(algorithm));
  }
}

TEST(SignatureAlgorithmTest, RefusesAllOtherNames) {
  for (const std::string name : {"", "none", "None", "NONE", "HS256", "HS384", "HS512", "es256", "ES256 ", "ES384",
                                 "RS512", "PS256", "EDDSA", "Ed25519"}) {
    EXPECT_THAT(ParseSignatureAlgorithm(name), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
}

}  // namespace
}  // namespace entrepot::token
