#include "services/auth/identity/key_set_file.h"

#include <string>

#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"
#include "services/token/signing_key.h"

namespace entrepot::auth {
namespace {

using token::SigningKey;

std::string TextOf(const SigningKey& key) { return token::KeySet({key.verification_key()}).ToJson(); }

class KeySetFileTest : public testing::Test {
 protected:
  kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/keys.json";
  const SigningKey key_ = SigningKey::Generate(token::SignatureAlgorithm::kEs256);
};

TEST_F(KeySetFileTest, LoadsEachChangeAtOnce) {
  runtime::ReplaceFile(path_, TextOf(key_));
  KeySetFile file(path_);
  EXPECT_NE(file.Get().value()->Find(key_.kid()), nullptr);
  const SigningKey other = SigningKey::Generate(token::SignatureAlgorithm::kEdDsa);
  runtime::ReplaceFile(path_, TextOf(other));
  EXPECT_EQ(file.Get().value()->Find(key_.kid()), nullptr);
  EXPECT_NE(file.GetNewer().value()->Find(other.kid()), nullptr);
}

TEST_F(KeySetFileTest, KeepsTheOldKeysIfTheNewFileIsInvalidOrMissing) {
  runtime::ReplaceFile(path_, TextOf(key_));
  KeySetFile file(path_);
  ASSERT_OK(file.Get());
  runtime::ReplaceFile(path_, "{}");
  EXPECT_NE(file.Get().value()->Find(key_.kid()), nullptr);
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  EXPECT_NE(file.Get().value()->Find(key_.kid()), nullptr);
}

TEST_F(KeySetFileTest, HasNoKeysUntilThereIsAValidFile) {
  KeySetFile file(path_);
  EXPECT_THAT(file.Get(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(file.Get(), StatusIs(absl::StatusCode::kUnavailable));
  runtime::ReplaceFile(path_, "[");
  EXPECT_THAT(file.Get(), StatusIs(absl::StatusCode::kUnavailable));
  runtime::ReplaceFile(path_, TextOf(key_));
  EXPECT_OK(file.Get());
}

}  // namespace
}  // namespace entrepot::auth
