#include "services/auth/records/secret.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace entrepot::auth {
namespace {

TEST(SecretTest, AreRandomAndRecognisable) {
  const std::string secret = NewSecret(kRobotSecretPrefix);
  EXPECT_TRUE(secret.starts_with("entrepot_robot_"));
  EXPECT_EQ(secret.size(), kRobotSecretPrefix.size() + 64);
  EXPECT_NE(NewSecret(kRobotSecretPrefix), secret);
}

TEST(SecretTest, Sha256) {
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SecretTest, Comparison) {
  EXPECT_TRUE(SecretsEqual("", ""));
  EXPECT_TRUE(SecretsEqual("abc", "abc"));
  EXPECT_FALSE(SecretsEqual("abc", "abd"));
  EXPECT_FALSE(SecretsEqual("abc", "abcd"));
}

}  // namespace
}  // namespace entrepot::auth
