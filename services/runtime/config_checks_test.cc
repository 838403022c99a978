#include "services/runtime/config_checks.h"

#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/config_defaults.h"

namespace entrepot::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Lines = std::vector<std::string>;

std::string MakeFile(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << "contents";
  return path;
}

Lines CheckedEndpoint(const std::string& address, uint32_t port) {
  config::v1::Endpoint endpoint;
  endpoint.set_address(address);
  endpoint.set_port(port);
  ConfigProblems problems;
  CheckEndpoint("grpc", endpoint, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, Endpoint) {
  EXPECT_THAT(CheckedEndpoint("127.0.0.1", 1), IsEmpty());
  EXPECT_THAT(CheckedEndpoint("0.0.0.0", 65535), IsEmpty());
  EXPECT_THAT(CheckedEndpoint("::", 5000), IsEmpty());
  EXPECT_THAT(CheckedEndpoint("fe80::1", 5000), IsEmpty());
  EXPECT_THAT(CheckedEndpoint("::1", 0), ElementsAre("grpc.port: is required"));
  EXPECT_THAT(CheckedEndpoint("::1", 65536), ElementsAre("grpc.port: must be 1 to 65535, not 65536"));
  EXPECT_THAT(CheckedEndpoint("localhost", 1), ElementsAre("grpc.address: must be an IP address, not \"localhost\""));
  EXPECT_THAT(CheckedEndpoint("[::1]", 1), ElementsAre("grpc.address: must be an IP address, not \"[::1]\""));
  EXPECT_THAT(CheckedEndpoint("1.2.3", 0),
              ElementsAre("grpc.address: must be an IP address, not \"1.2.3\"", "grpc.port: is required"));
  EXPECT_THAT(CheckedEndpoint(std::string("::1\0x", 5), 1),
              ElementsAre("grpc.address: must be an IP address, not \"::1\\x00x\""));
}

TEST(ConfigChecksTest, PublicEndpointWithoutTls) {
  config::v1::PublicEndpoint endpoint;
  FillDefaults(&endpoint);
  ConfigProblems problems;
  CheckPublicEndpoint("listen", endpoint, &problems);
  EXPECT_TRUE(problems.empty());
}

Lines CheckedTls(const std::string& certificate, const std::string& key) {
  config::v1::PublicEndpoint endpoint;
  FillDefaults(&endpoint);
  endpoint.mutable_tls()->set_certificate_file(certificate);
  endpoint.mutable_tls()->set_private_key_file(key);
  ConfigProblems problems;
  CheckPublicEndpoint("listen", endpoint, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, TlsFiles) {
  const std::string file = MakeFile("tls.pem");
  EXPECT_THAT(CheckedTls(file, file), IsEmpty());
  EXPECT_THAT(CheckedTls("", ""),
              ElementsAre("listen.tls.certificate_file: is required", "listen.tls.private_key_file: is required"));
  EXPECT_THAT(CheckedTls(file, "/nowhere/key.pem"),
              ElementsAre("listen.tls.private_key_file: cannot read /nowhere/key.pem: No such file or directory"));
  EXPECT_THAT(CheckedTls(testing::TempDir(), file),
              ElementsAre("listen.tls.certificate_file: " + testing::TempDir() + " is not a file"));
}

Lines CheckedLimits(const std::function<void(config::v1::Limits*)>& change) {
  config::v1::Limits limits;
  FillDefaults(&limits);
  change(&limits);
  ConfigProblems problems;
  CheckLimits("limits", limits, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, TheDefaultLimitsAreGood) {
  EXPECT_THAT(CheckedLimits([](auto*) {}), IsEmpty());
}

TEST(ConfigChecksTest, Limits) {
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_idle_timeout()->set_seconds(0); }),
              ElementsAre("limits.idle_timeout: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_header_timeout()->set_seconds(-3); }),
              ElementsAre("limits.header_timeout: must be longer than 0, not -3s"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_minimum_rate_window()->set_seconds(0); }),
              ElementsAre("limits.minimum_rate_window: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_header_bytes_max(8191); }),
              ElementsAre("limits.uri_bytes_max: must not be more than header_bytes_max (8191), which includes it"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_uri_bytes_max(511); }),
              ElementsAre("limits.uri_bytes_max: must be at least 512, not 511"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_manifest_bytes_max(15 * 1024 * 1024); }), IsEmpty());
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_manifest_bytes_max(15 * 1024 * 1024 + 1); }),
              ElementsAre("limits.manifest_bytes_max: must be at most 15728640, not 15728641"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_blob_bytes_max(1); }), IsEmpty());
}

TEST(ConfigChecksTest, AllProblemsAreReported) {
  EXPECT_THAT(CheckedLimits([](auto* limits) {
                limits->Clear();
                limits->set_header_bytes_max(1);
              }).size(),
              testing::Ge(7u));
}

TEST(ConfigChecksTest, Uploads) {
  config::v1::Uploads uploads;
  FillDefaults(&uploads);
  ConfigProblems problems;
  CheckUploads("uploads", uploads, &problems);
  EXPECT_TRUE(problems.empty());
  uploads.mutable_session_lifetime()->set_seconds(0);
  CheckUploads("uploads", uploads, &problems);
  EXPECT_THAT(problems.lines(), ElementsAre("uploads.session_lifetime: must be longer than 0, not 0"));
}

TEST(ConfigChecksTest, Log) {
  config::v1::Log log;
  ConfigProblems problems;
  for (const char* level : {"debug", "info", "warning", "error"}) {
    log.set_level(level);
    CheckLog("log", log, &problems);
  }
  EXPECT_TRUE(problems.empty());
  log.set_level("verbose");
  CheckLog("log", log, &problems);
  EXPECT_THAT(problems.lines(), ElementsAre("log.level: must be debug, info, warning or error, not \"verbose\""));
}

Lines CheckedTarget(const std::string& target) {
  config::v1::Service service;
  FillDefaults(&service);
  service.set_target(target);
  ConfigProblems problems;
  CheckService("blob_service", service, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, Service) {
  for (const char* good : {"127.0.0.1:5011", "[::1]:5011", "localhost:1", "blob.registry.svc:65535", "dns:///blob:5011",
                           "dns:///[::1]:5011"}) {
    EXPECT_THAT(CheckedTarget(good), IsEmpty()) << good;
  }
  EXPECT_THAT(CheckedTarget(""), ElementsAre("blob_service.target: is required"));
  for (const char* bad : {"blob", ":5011", "blob:", "blob:0", "blob:65536", "blob:http", "http://blob:5011", "::1:5011",
                          "[::1:5011", "blob:5011/path", "dns:///blob", "a b:1", "blob:-1", "blob:+1", "blob: 1"}) {
    EXPECT_EQ(CheckedTarget(bad).size(), 1u) << bad;
  }
  EXPECT_THAT(CheckedTarget("blob"),
              ElementsAre("blob_service.target: must be \"host:port\" or \"dns:///name:port\", not \"blob\""));
}

TEST(ConfigChecksTest, ServiceDeadline) {
  config::v1::Service service;
  service.set_target("blob:5011");
  service.mutable_deadline();
  ConfigProblems problems;
  CheckService("blob_service", service, &problems);
  EXPECT_THAT(problems.lines(), ElementsAre("blob_service.deadline: must be longer than 0, not 0"));
}

Lines CheckedDirectory(const std::string& directory) {
  ConfigProblems problems;
  CheckDataDirectory("data_directory", directory, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, DataDirectory) {
  EXPECT_THAT(CheckedDirectory(testing::TempDir()), IsEmpty());
  EXPECT_THAT(CheckedDirectory(testing::TempDir() + "/to/be/made"), IsEmpty());
  EXPECT_THAT(CheckedDirectory(""), ElementsAre("data_directory: is required"));
  const std::string file = MakeFile("no_directory");
  EXPECT_THAT(CheckedDirectory(file), ElementsAre("data_directory: " + file + " is not a directory"));
  EXPECT_THAT(CheckedDirectory(file + "/below"),
              ElementsAre("data_directory: cannot use " + file + "/below: Not a directory"));
}

}  // namespace
}  // namespace entrepot::runtime
