#include "services/runtime/config/config_checks.h"

#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/tls/test_certificates.h"

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
  CheckPublicEndpoint("listen", endpoint, Access::kOpen, &problems);
  EXPECT_TRUE(problems.empty());
}

Lines CheckedTls(const std::string& certificate, const std::string& key) {
  config::v1::PublicEndpoint endpoint;
  FillDefaults(&endpoint);
  endpoint.mutable_tls()->set_certificate_file(certificate);
  endpoint.mutable_tls()->set_private_key_file(key);
  ConfigProblems problems;
  CheckPublicEndpoint("listen", endpoint, Access::kOpen, &problems);
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

struct Found {
  Lines problems;
  Lines warnings;
};

Found CheckedPublic(
    const std::string& address, Access access,
    const std::function<void(config::v1::PublicEndpoint*)>& change = [](auto*) {}) {
  config::v1::PublicEndpoint endpoint;
  endpoint.set_address(address);
  FillDefaults(&endpoint);
  change(&endpoint);
  ConfigProblems problems;
  CheckPublicEndpoint("listen", endpoint, access, &problems);
  return {problems.lines(), problems.warnings()};
}

TEST(ConfigChecksTest, OpenAccessNeedsALoopbackAddress) {
  for (const char* loopback : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}) {
    const Found found = CheckedPublic(loopback, Access::kOpen);
    EXPECT_THAT(found.problems, IsEmpty()) << loopback;
    EXPECT_THAT(found.warnings, IsEmpty()) << loopback;
  }
  for (const char* reachable : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "::2"}) {
    EXPECT_EQ(CheckedPublic(reachable, Access::kOpen).problems.size(), 1u) << reachable;
  }
  EXPECT_THAT(CheckedPublic("0.0.0.0", Access::kOpen).problems,
              ElementsAre("listen.address: other machines reach 0.0.0.0, and there is no authentication: configure it "
                          "(examples/auth.yaml), listen on 127.0.0.1, or set allow_unauthenticated: true"));
  const Found allowed = CheckedPublic("0.0.0.0", Access::kOpen, [](auto* e) { e->set_allow_unauthenticated(true); });
  EXPECT_THAT(allowed.problems, IsEmpty());
  EXPECT_THAT(allowed.warnings,
              ElementsAre("listen.allow_unauthenticated: every client that reaches 0.0.0.0 may push, pull and delete",
                          "listen.names: is empty: a web page whose name is made to resolve to the registry may read "
                          "and change everything from a browser that reaches it; list the names that clients use"));
}

TEST(ConfigChecksTest, Names) {
  const auto checked = [](const std::vector<std::string>& names) {
    return CheckedPublic("0.0.0.0", Access::kOpen, [&](auto* e) {
      e->set_allow_unauthenticated(true);
      e->mutable_names()->Assign(names.begin(), names.end());
    });
  };
  const Found good = checked({"registry.example", "registry", "10.0.0.5", "2001:db8::5"});
  EXPECT_THAT(good.problems, IsEmpty());
  EXPECT_THAT(good.warnings,
              ElementsAre("listen.allow_unauthenticated: every client that reaches 0.0.0.0 may push, pull and delete"));
  for (const char* bad : {"", "registry.example:5000", "https://registry.example", "[2001:db8::5]", "*.example"}) {
    EXPECT_THAT(checked({bad}).problems,
                ElementsAre(absl::StrCat("listen.names: must be names or addresses without a port, like "
                                         "\"registry.example\" or \"10.0.0.5\", not \"",
                                         bad, "\"")));
  }
}

TEST(ConfigChecksTest, PasswordsInClearTextAreAWarning) {
  const Found clear = CheckedPublic("0.0.0.0", Access::kAuthenticated);
  EXPECT_THAT(clear.problems, IsEmpty());
  EXPECT_THAT(clear.warnings,
              ElementsAre("listen.tls: is not set: passwords and tokens cross the network in clear text"));
  EXPECT_THAT(CheckedPublic("127.0.0.1", Access::kAuthenticated).warnings, IsEmpty());
  const Found behind_proxy =
      CheckedPublic("0.0.0.0", Access::kAuthenticated, [](auto* e) { e->set_external_url("https://r.example"); });
  EXPECT_THAT(behind_proxy.warnings, IsEmpty());
  const Found behind_trusted_proxy =
      CheckedPublic("0.0.0.0", Access::kAuthenticated, [](auto* e) { e->add_trusted_proxies("10.0.0.1"); });
  EXPECT_THAT(behind_trusted_proxy.warnings, IsEmpty());
}

TEST(ConfigChecksTest, TrustedProxies) {
  const auto checked = [](const std::vector<std::string>& networks) {
    return CheckedPublic("127.0.0.1", Access::kOpen,
                         [&](auto* e) { e->mutable_trusted_proxies()->Assign(networks.begin(), networks.end()); });
  };
  const Found good = checked({"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"});
  EXPECT_THAT(good.problems, IsEmpty());
  EXPECT_THAT(good.warnings, IsEmpty());
  EXPECT_THAT(checked({"10.0.0.1", "proxy.example", "10.1.0.0/8"}).problems,
              ElementsAre("listen.trusted_proxies: must be like \"192.0.2.0/24\", \"2001:db8::/32\" or an IP address, "
                          "not \"proxy.example\"",
                          "listen.trusted_proxies: \"10.1.0.0/8\" has bits behind its prefix; the network is "
                          "\"10.0.0.0/8\""));
  const Found everything = checked({"0.0.0.0/0", "::/0"});
  EXPECT_THAT(everything.problems, IsEmpty());
  EXPECT_THAT(everything.warnings,
              ElementsAre("listen.trusted_proxies: 0.0.0.0/0 trusts every client: each may claim another's address",
                          "listen.trusted_proxies: ::/0 trusts every client: each may claim another's address"));
}

TEST(ConfigChecksTest, ForwardedHeaderAndProxyProtocol) {
  const auto header = [](const std::string& name) {
    return CheckedPublic("127.0.0.1", Access::kOpen, [&](auto* e) { e->set_forwarded_header(name); }).problems;
  };
  EXPECT_THAT(header("x-forwarded-for"), IsEmpty());
  EXPECT_THAT(header("forwarded"), IsEmpty());
  EXPECT_THAT(header("X-Real-IP"),
              ElementsAre("listen.forwarded_header: must be x-forwarded-for or forwarded, not \"X-Real-IP\""));
  EXPECT_THAT(
      CheckedPublic("127.0.0.1", Access::kOpen, [](auto* e) { e->set_proxy_protocol(true); }).problems,
      ElementsAre("listen.proxy_protocol: needs listen.trusted_proxies: the addresses of the proxies that send it"));
}

TEST(ConfigChecksTest, ExternalUrl) {
  const auto checked = [](const std::string& url) {
    return CheckedPublic("127.0.0.1", Access::kOpen, [&](auto* e) { e->set_external_url(url); }).problems;
  };
  for (const char* good : {"https://r.example", "http://localhost:5000", "https://[::1]:443", "https://[::1]"}) {
    EXPECT_THAT(checked(good), IsEmpty()) << good;
  }
  for (const char* bad :
       {"r.example", "https://", "https://r.example/", "https://r.example/v2", "ftp://r", "https://a b"})
    EXPECT_EQ(checked(bad).size(), 1u) << bad;
}

TEST(ConfigChecksTest, PeerTls) {
  const TestCa ca;
  const TestCa::Issued issued = ca.Issue({"DNS:blob"});
  const std::string at = testing::TempDir() + "/peer";
  ReplaceFile(at + ".crt", issued.certificate);
  ReplaceFile(at + ".key", issued.private_key);
  ReplaceFile(at + "-ca.crt", ca.Pem());
  config::v1::Endpoint endpoint;
  endpoint.set_port(5002);
  FillGrpcDefaults(&endpoint);
  const auto checked = [&endpoint] {
    ConfigProblems problems;
    CheckGrpcEndpoint("grpc", endpoint, &problems);
    return Found{problems.lines(), problems.warnings()};
  };
  EXPECT_THAT(checked().warnings, IsEmpty());
  endpoint.set_address("0.0.0.0");
  EXPECT_THAT(checked().warnings,
              ElementsAre("grpc.tls: is not set: every client that reaches 0.0.0.0 may do everything"));

  config::v1::PeerTls& tls = *endpoint.mutable_tls();
  EXPECT_THAT(checked().problems,
              ElementsAre("grpc.tls.certificate_file: is required", "grpc.tls.private_key_file: is required",
                          "grpc.tls.ca_file: is required",
                          "grpc.tls.peers: is required: the names of the processes that may connect"));
  tls.set_certificate_file(at + ".crt");
  tls.set_private_key_file(at + ".key");
  tls.set_ca_file(at + "-ca.crt");
  tls.add_peers("gateway");
  EXPECT_THAT(checked().problems, IsEmpty());
  EXPECT_THAT(checked().warnings, IsEmpty());
  ReplaceFile(at + ".key", ca.Issue({}).private_key);
  EXPECT_THAT(checked().problems,
              ElementsAre("grpc.tls: " + at + ".key is not the key of the certificate in " + at + ".crt"));

  config::v1::Service service;
  FillDefaults(&service);
  service.set_target("blob:5002");
  *service.mutable_tls() = tls;
  ConfigProblems problems;
  CheckService("blob_service", service, &problems);
  EXPECT_THAT(problems.lines(),
              ElementsAre("blob_service.tls: " + at + ".key is not the key of the certificate in " + at + ".crt"));
}

TEST(ConfigChecksTest, GrpcEndpointNeedsRoomForSomeConnections) {
  config::v1::Endpoint endpoint;
  endpoint.set_port(5002);
  FillGrpcDefaults(&endpoint);
  ConfigProblems problems;
  endpoint.set_connections_max(16);
  CheckGrpcEndpoint("grpc", endpoint, &problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  endpoint.set_connections_max(15);
  CheckGrpcEndpoint("grpc", endpoint, &problems);
  EXPECT_THAT(problems.lines(), ElementsAre("grpc.connections_max: must be at least 16, not 15"));
}

TEST(ConfigChecksTest, OperatorEndpointHasNoFieldsOfGrpc) {
  config::v1::Endpoint endpoint;
  FillDefaults(5001, &endpoint);
  ConfigProblems none;
  CheckEndpoint("operator", endpoint, &none);
  EXPECT_THAT(none.lines(), IsEmpty());
  endpoint.mutable_tls();
  endpoint.set_connections_max(64);
  ConfigProblems problems;
  CheckEndpoint("operator", endpoint, &problems);
  EXPECT_THAT(problems.lines(), ElementsAre("operator.tls: is supported for gRPC only",
                                            "operator.connections_max: is supported for gRPC only"));
}

Lines CheckedAuthentication(const std::function<void(config::v1::Authentication*)>& change) {
  config::v1::Authentication authentication;
  authentication.set_policy_file(MakeFile("policy.yaml"));
  FillDefaults(&authentication);
  change(&authentication);
  ConfigProblems problems;
  CheckAuthentication("authentication", authentication, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, Authentication) {
  EXPECT_THAT(CheckedAuthentication([](auto*) {}), IsEmpty());
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->clear_policy_file(); }),
              ElementsAre("authentication.policy_file: is required"));
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->set_accounts_file("/nowhere/accounts"); }),
              ElementsAre("authentication.accounts_file: cannot read /nowhere/accounts: No such file or directory"));
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->mutable_token_lifetime()->set_seconds(59); }),
              ElementsAre("authentication.token_lifetime: must be 1m to 1h, not 59s"));
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->mutable_token_lifetime()->set_seconds(3601); }),
              ElementsAre("authentication.token_lifetime: must be 1m to 1h, not 1h1s"));
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->mutable_refresh_token_lifetime()->set_seconds(0); }),
              ElementsAre("authentication.refresh_token_lifetime: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->set_signing_algorithm("HS256"); }),
              ElementsAre("authentication.signing_algorithm: must be ES256, EdDSA or RS256, not \"HS256\""));
  EXPECT_EQ(CheckedAuthentication([](auto* a) { a->set_service("a\"b"); }).size(), 1u);
  EXPECT_EQ(CheckedAuthentication([](auto* a) { a->set_issuer("a\nb"); }).size(), 1u);
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->set_audit_file("/nowhere/audit.log"); }),
              ElementsAre("authentication.audit_file: cannot write to /nowhere/: No such file or directory"));
  EXPECT_THAT(CheckedAuthentication([](auto* a) { a->set_audit_file(testing::TempDir() + "/audit.log"); }), IsEmpty());
}

Lines CheckedLimits(const std::function<void(config::v1::Limits*)>& change) {
  config::v1::Limits limits;
  FillDefaults(&limits);
  change(&limits);
  ConfigProblems problems;
  CheckLimits("limits", limits, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, TheDefaultLimitsAreValid) {
  EXPECT_THAT(CheckedLimits([](auto*) {}), IsEmpty());
}

TEST(ConfigChecksTest, Limits) {
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_idle_timeout()->set_seconds(0); }),
              ElementsAre("limits.idle_timeout: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_header_timeout()->set_seconds(-3); }),
              ElementsAre("limits.header_timeout: must be longer than 0, not -3s"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_minimum_rate_window()->set_seconds(0); }),
              ElementsAre("limits.minimum_rate_window: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->mutable_silence_timeout()->set_seconds(0); }),
              ElementsAre("limits.silence_timeout: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_connections_max(1023); }),
              ElementsAre("limits.connections_per_address_max: must not be more than connections_max (1023)"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_header_bytes_max(8191); }),
              ElementsAre("limits.uri_bytes_max: must not be more than header_bytes_max (8191), which includes it"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_uri_bytes_max(511); }),
              ElementsAre("limits.uri_bytes_max: must be at least 512, not 511"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_manifest_bytes_max(15 * 1024 * 1024); }), IsEmpty());
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_manifest_bytes_max(15 * 1024 * 1024 + 1); }),
              ElementsAre("limits.manifest_bytes_max: must be at most 15728640, not 15728641"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_blob_bytes_max(1); }), IsEmpty());
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_body_memory_bytes_max(64 << 20); }), IsEmpty());
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_body_memory_bytes_max((64 << 20) - 1); }),
              ElementsAre("limits.body_memory_bytes_max: must be at least 67108864 (16 times manifest_bytes_max), not "
                          "67108863"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_list_requests_waiting_max(3); }),
              ElementsAre("limits.list_requests_waiting_max: must be at least 4, not 3"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_credential_bytes_max(255); }),
              ElementsAre("limits.credential_bytes_max: must be at least 256, not 255"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_credential_bytes_max(1048577); }),
              ElementsAre("limits.credential_bytes_max: must be at most 1048576, not 1048577"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_scopes_max(10001); }),
              ElementsAre("limits.scopes_max: must be at most 10000, not 10001"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_token_query_bytes_max(511); }),
              ElementsAre("limits.token_query_bytes_max: must be at least 512, not 511"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_token_query_bytes_max(1048577); }),
              ElementsAre("limits.token_query_bytes_max: must be at most 1048576, not 1048577"));
  EXPECT_THAT(CheckedLimits([](auto* limits) { limits->set_authorization_bytes_max(1048577); }),
              ElementsAre("limits.authorization_bytes_max: must be at most 1048576, not 1048577"));
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
  uploads.set_sessions_max(7);
  uploads.set_sessions_per_account_max(8);
  problems = ConfigProblems();
  CheckUploads("uploads", uploads, &problems);
  EXPECT_THAT(problems.lines(),
              ElementsAre("uploads.session_lifetime: must be longer than 0, not 0",
                          "uploads.sessions_per_account_max: must be at most sessions_max, which is 7, not 8"));
}

ConfigProblems CheckedPostgres(const std::function<void(config::v1::Postgres*)>& change) {
  config::v1::RecordStore records;
  records.mutable_postgres()->add_servers("127.0.0.1:5432");
  change(records.mutable_postgres());
  FillDefaults(&records);
  ConfigProblems problems;
  CheckRecordStore("records", records, &problems);
  return problems;
}

TEST(ConfigChecksTest, RecordStore) {
  ConfigProblems problems;
  CheckRecordStore("records", config::v1::RecordStore(), &problems);
  EXPECT_TRUE(problems.empty()) << "RocksDB";
  for (const char* server : {"127.0.0.1", "localhost:1", "[::1]:5432", "/run/postgresql", "/run/postgresql:5433"}) {
    const ConfigProblems found = CheckedPostgres([&](auto* postgres) { postgres->set_servers(0, server); });
    EXPECT_TRUE(found.empty()) << server;
    EXPECT_THAT(found.warnings(), IsEmpty()) << server;
  }
  for (const char* server : {"", ":5432", "db:0", "db:65536", "/run:x"}) {
    EXPECT_EQ(CheckedPostgres([&](auto* postgres) { postgres->set_servers(0, server); }).lines().size(), 1) << server;
  }
  EXPECT_THAT(CheckedPostgres([](auto* postgres) {
                postgres->clear_servers();
                postgres->set_password_file("/nowhere/password");
                postgres->mutable_tls()->set_certificate_file("/nowhere/crt");
                postgres->set_connections_max(3);
                postgres->mutable_connection_wait();
              }).lines(),
              ElementsAre("records.postgres.servers: is required",
                          "records.postgres.password_file: cannot read /nowhere/password: No such file or directory",
                          "records.postgres.tls.ca_file: is required",
                          "records.postgres.tls.certificate_file: cannot read /nowhere/crt: No such file or directory",
                          "records.postgres.tls.private_key_file: is required",
                          "records.postgres.connections_max: must be at least 4, not 3",
                          "records.postgres.connection_wait: must be longer than 0, not 0"));
  EXPECT_THAT(CheckedPostgres([](auto* postgres) { postgres->set_servers(0, "db.example:5432"); }).warnings(),
              ElementsAre("records.postgres.tls: is absent: records and passwords cross the network unencrypted"));
}

ConfigProblems CheckedS3(const std::function<void(config::v1::S3*)>& change) {
  config::v1::ObjectStorage objects;
  objects.mutable_s3()->set_endpoint("https://s3.example");
  objects.mutable_s3()->set_bucket("b");
  FillDefaults(&objects);
  change(objects.mutable_s3());
  ConfigProblems problems;
  CheckObjectStorage("objects", objects, &problems);
  return problems;
}

TEST(ConfigChecksTest, ObjectStorage) {
  ConfigProblems files;
  CheckObjectStorage("objects", config::v1::ObjectStorage(), &files);
  EXPECT_TRUE(files.empty());
  for (const char* endpoint : {"https://s3.example", "https://s3.example:9000", "http://127.0.0.1:9000"}) {
    const ConfigProblems found = CheckedS3([&](auto* s3) { s3->set_endpoint(endpoint); });
    EXPECT_TRUE(found.empty()) << endpoint;
    EXPECT_THAT(found.warnings(), IsEmpty()) << endpoint;
  }
  for (const char* endpoint : {"", "s3.example", "ftp://s3.example", "https://s3.example/path", "https://"}) {
    EXPECT_EQ(CheckedS3([&](auto* s3) { s3->set_endpoint(endpoint); }).lines().size(), 1) << endpoint;
  }
  EXPECT_THAT(CheckedS3([](auto* s3) { s3->set_endpoint("http://s3.example"); }).warnings(),
              ElementsAre("objects.s3.endpoint: has no TLS: blobs cross the network unencrypted"));
  EXPECT_THAT(CheckedS3([](auto* s3) {
                s3->clear_bucket();
                s3->set_prefix("/a");
                s3->set_ca_file("/nowhere/ca");
                s3->set_part_bytes(1);
                s3->set_connections_max(15);
                s3->set_encryption("rot13");
              }).lines(),
              ElementsAre("objects.s3.bucket: is required", "objects.s3.prefix: must not begin with a slash: \"/a\"",
                          "objects.s3.ca_file: cannot read /nowhere/ca: No such file or directory",
                          "objects.s3.part_bytes: must be 5242880 to 1073741824, not 1",
                          "objects.s3.connections_max: must be at least 16, not 15",
                          "objects.s3.encryption: must be \"AES256\" or \"aws:kms\", not \"rot13\""));
  EXPECT_THAT(CheckedS3([](auto* s3) {
                s3->set_upload_memory_bytes_max(1 << 20);
                s3->set_encryption_key_id("k");
              }).lines(),
              ElementsAre("objects.s3.upload_memory_bytes_max: must be at least 67108864, which is four times "
                          "part_bytes, not 1048576",
                          "objects.s3.encryption_key_id: needs encryption: aws:kms"));
}

TEST(ConfigChecksTest, Redirects) {
  const auto checked = [](const std::function<void(config::v1::S3Redirects*)>& change) {
    return CheckedS3([&](auto* s3) {
      config::v1::S3Redirects* const redirects = s3->mutable_redirects();
      redirects->add_clients("10.0.0.0/8");
      redirects->set_endpoint(s3->endpoint());
      redirects->mutable_url_lifetime()->set_seconds(300);
      change(redirects);
    });
  };
  EXPECT_TRUE(checked([](auto*) {}).empty());
  EXPECT_TRUE(checked([](auto* redirects) { redirects->set_endpoint("https://public.example:9000"); }).empty());
  EXPECT_THAT(checked([](auto* redirects) { redirects->set_endpoint("http://public.example"); }).warnings(),
              ElementsAre("objects.s3.redirects.endpoint: has no TLS: blobs cross the network unencrypted"));
  EXPECT_THAT(checked([](auto* redirects) {
                redirects->set_endpoint("public.example");
                redirects->clear_clients();
                redirects->mutable_url_lifetime()->set_seconds(301);
              }).lines(),
              ElementsAre("objects.s3.redirects.endpoint: must be like \"https://s3.example\", not \"public.example\"",
                          "objects.s3.redirects.clients: is required",
                          "objects.s3.redirects.url_lifetime: must be 1s to 5m, not 5m1s"));
  EXPECT_THAT(checked([](auto* redirects) {
                redirects->add_clients("10.0.0.1/8");
                redirects->mutable_url_lifetime()->set_seconds(0);
              }).lines(),
              ElementsAre(testing::HasSubstr("objects.s3.redirects.clients: "),
                          "objects.s3.redirects.url_lifetime: must be 1s to 5m, not 0"));
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
                           "dns:///[::1]:5011", "blob-1:5011,blob-2:5011", "dns:///blob:5011,127.0.0.1:5011"}) {
    EXPECT_THAT(CheckedTarget(good), IsEmpty()) << good;
  }
  EXPECT_THAT(CheckedTarget(""), ElementsAre("blob_service.target: is required"));
  for (const char* bad :
       {"blob",     ":5011",     "blob:",          "blob:0",         "blob:65536",  "blob:http",    "http://blob:5011",
        "::1:5011", "[::1:5011", "blob:5011/path", "dns:///blob",    "a b:1",       "blob:-1",      "blob:+1",
        "blob: 1",  "blob:1,",   ",blob:1",        "blob:1, blob:2", "blob:1,blob", "blob:1;blob:2"}) {
    EXPECT_EQ(CheckedTarget(bad).size(), 1u) << bad;
  }
  EXPECT_THAT(
      CheckedTarget("blob"),
      ElementsAre("blob_service.target: must be \"host:port\" or \"dns:///name:port\", or several of them with commas "
                  "between, not \"blob\""));
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

Lines CheckedDrainDelay(int64_t seconds) {
  google::protobuf::Duration delay;
  delay.set_seconds(seconds);
  ConfigProblems problems;
  CheckDrainDelay("drain_delay", delay, &problems);
  return problems.lines();
}

TEST(ConfigChecksTest, DrainDelay) {
  EXPECT_THAT(CheckedDrainDelay(0), IsEmpty());
  EXPECT_THAT(CheckedDrainDelay(300), IsEmpty());
  EXPECT_THAT(CheckedDrainDelay(301), ElementsAre("drain_delay: must be from 0 to 5m, not 5m1s"));
  EXPECT_THAT(CheckedDrainDelay(-1), ElementsAre("drain_delay: must be from 0 to 5m, not -1s"));
}

}  // namespace
}  // namespace entrepot::runtime
