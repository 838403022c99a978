#include "services/token/signing_key.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::token {
namespace {

using testing::StartsWith;

class SigningKeyTest : public testing::TestWithParam<SignatureAlgorithm> {};

INSTANTIATE_TEST_SUITE_P(Algorithms, SigningKeyTest,
                         testing::Values(SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa,
                                         SignatureAlgorithm::kRs256),
                         [](const auto& algorithm) { return std::string(ToString(algorithm.param)); });

TEST_P(SigningKeyTest, SignsWhatItsPublicHalfVerifies) {
  const SigningKey key = SigningKey::Generate(GetParam());
  EXPECT_EQ(key.algorithm(), GetParam());
  EXPECT_EQ(key.verification_key().algorithm(), GetParam());
  EXPECT_EQ(key.verification_key().kid(), key.kid());
  for (const std::string text : {"", "a", "some longer text"}) {
    const std::string signature = key.Sign(text);
    EXPECT_TRUE(key.verification_key().Verify(text, signature));
    EXPECT_FALSE(key.verification_key().Verify(text + "x", signature));
  }
}

TEST_P(SigningKeyTest, IsTheSameKeyAfterPem) {
  const SigningKey key = SigningKey::Generate(GetParam());
  EXPECT_THAT(key.ToPem(), StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  ASSERT_OK_AND_ASSIGN(const SigningKey again, SigningKey::FromPem(key.ToPem()));
  EXPECT_EQ(again.kid(), key.kid());
  EXPECT_EQ(again.ToPem(), key.ToPem());
  EXPECT_TRUE(key.verification_key().Verify("text", again.Sign("text")));
}

TEST_P(SigningKeyTest, GeneratesDifferentKeys) {
  const SigningKey key = SigningKey::Generate(GetParam());
  const SigningKey other = SigningKey::Generate(GetParam());
  EXPECT_NE(key.kid(), other.kid());
  EXPECT_FALSE(other.verification_key().Verify("text", key.Sign("text")));
}

TEST(SigningKeyPemTest, RefusesUnsupportedKeys) {
  const std::string pem = SigningKey::Generate(SignatureAlgorithm::kEs256).ToPem();
  const std::string cut = pem.substr(0, pem.size() / 2);
  // openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384, and -algorithm RSA -pkeyopt rsa_keygen_bits:1024.
  const std::string p384 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDYSwbUpqBQJcmq+KPB\n"
      "0ZcTIIyiRBCn9IRq623LgZsIYPq0czrh06jo59KJNI6y6LKhZANiAAQJS+12yyft\n"
      "MGmiAE3ficOnmL3VlR4X27UikQBFikVX/DGg8vsBZV5LjZ64cgun6T41n5vTlcjm\n"
      "d0j19o8K+K52Gejb0g3h+IaIT/VkOrJzjbwqrigqm8gm5UBblD0ib98=\n"
      "-----END PRIVATE KEY-----\n";
  const std::string rsa_1024 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBANXO0E2zspXogXLt\n"
      "Y3AOTp4TNQY+gx088F6v5IGdSdSdkH3/+SLmbhrlU9P5Z1vSpEGBYwoQnhZiex5+\n"
      "AQ5etn76KUYpLKkRyKgOBV9w3CRQTzyC5nkxoXKaRZ145I5oiSJKeHpRVxB73gI5\n"
      "H3MyV3GECKH6N+Xj6hAjdmHPeHK9AgMBAAECgYB5OxMRe9q+9V6w87l2SCZ7qxhd\n"
      "ugROB8ejaMiAVdcPH2hWiVWSXGYCChZGExxwDDfmjJ7DjjiVKLH20Ct5ImsG+pIZ\n"
      "8UkIPr4bdGX8Wq/GKYU0jwt5Hypd3a+PLzS6e8bTMApyzO7xxeLcTyBOkk+dcsWH\n"
      "QR/SxBv+DfXjB1nkAQJBAPqKuTG7uM7+pZaiVHlZ/tI9M5DB7SIAErdRoiN7hr6C\n"
      "OUQ2w/xlL715Y3jz9thSNjymHPCobiaS6/nGASBdfGECQQDadzlWNw8uTGRUb3Am\n"
      "U3W6ZWEK1UsepvYf0Mk+kQfFWqJSfomVlJSZb3ZW0SveW/sqfDA6SWRsRxaljk+e\n"
      "NPPdAkEA9T9F+UDgrv7l6IYOWpuVrQbrqw+pqFaZ+4iVRlZsl5+xnuxc/HuwN7DT\n"
      "hlqJj0cqgEO6oHi/GlNHWsBP6faZAQJABZw4MbmaPzMhBHYUKDfOdynxUwjlM/VP\n"
      "rsN614t76pqIPpwXRmsZYdNV86bNfJlaGt4zktudo5Yzw66i5sovVQJBAIrlSai4\n"
      "rPa6Mr0pcNJb8C+t5BBpiIDxkcsDUtqLGeUGMSuwQvZamiswvWn3mgSqhBYDmOQC\n"
      "eXEW+sKB7DU/KAU=\n"
      "-----END PRIVATE KEY-----\n";
  // openssl genpkey … -aes256 -pass pass:x
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh2Zk/B/9jkUwICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDr+sBpNTaPRtBlghLJbLDoEgZBW\n"
      "kfhYlfyfEt7AX4HEzqmk0AFwhX1zEshIshh7lPYX3kU3yNm0GzgtNwK4G5/8SRTE\n"
      "pikEnaG3u4fmWiACHMwkbr+U2/wPoHmjI1EMlA/bF1ClSiul2OgxvmuqornpW3aH\n"
      "Bk0gN2cEh2h218D0yUYK5mZB1mScTJZArFZM9vJBag0R6oHTKZjCb6lJbslkRZs=\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  for (const std::string& text : {std::string(), std::string("hello"), cut, p384, rsa_1024, encrypted}) {
    EXPECT_THAT(SigningKey::FromPem(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace entrepot::token
