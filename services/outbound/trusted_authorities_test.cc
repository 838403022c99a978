#include "services/outbound/trusted_authorities.h"

#include <curl/curl.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::outbound {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(TrustedAuthoritiesTest, AddsTheFileToThoseOfTheSystem) {
  const kv::TemporaryDirectory directory;
  const std::string ca_file = directory.path() + "/ca.pem";
  runtime::ReplaceFile(ca_file, "-----BEGIN CERTIFICATE-----\n");
  ASSERT_OK_AND_ASSIGN(const std::string authorities, TrustedAuthoritiesWith(ca_file));
  EXPECT_THAT(authorities, EndsWith("-----BEGIN CERTIFICATE-----\n"));

  const char* const bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
  ASSERT_NE(bundle, nullptr);
  std::ostringstream of_system;
  if (std::ifstream file(bundle); file) of_system << file.rdbuf();
  EXPECT_THAT(authorities, StartsWith(of_system.str()));
}

TEST(TrustedAuthoritiesTest, NeedsTheFile) {
  const absl::Status status = TrustedAuthoritiesWith("/nonexistent/ca.pem").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace entrepot::outbound
