#include "services/runtime/config/config_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/core/access_scope.h"
#include "services/core/host_name.h"
#include "services/core/ip_network.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/files/secret_file.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/tls/peer_files.h"
#include "services/status/quoted_input.h"

namespace entrepot::runtime {
namespace {

// A manifest is sent in one gRPC message of at most 16 MiB, which leaves some room for the other fields.
constexpr uint32_t kManifestBytesMaxMax = 15 * 1024 * 1024;
// A client's share of the memory for bodies, a quarter, must have room for some manifests that it sends and reads.
constexpr uint64_t kManifestsInBodyMemoryMin = 16;
// All known clients send more than this: smaller limits would refuse every request.
constexpr uint32_t kHeaderBytesMaxMin = 1024;
constexpr uint32_t kUriBytesMaxMin = 512;
// An address has a quarter of them: a gateway that is replaced by another needs two.
constexpr uint32_t kGrpcConnectionsMaxMin = 16;
// Each range of a response is a read of its own.
constexpr uint32_t kRangesMaxMax = 1024;
// A password has up to 72 bytes, and a refresh token less than 256.
constexpr uint32_t kCredentialBytesMaxMin = 256;
constexpr uint32_t kTokenQueryBytesMaxMin = 512;
// Each connection may hold as much while the header arrives.
constexpr uint32_t kHeadPartBytesMaxMax = 1024 * 1024;
// The auth service parses no more (services/core/access_scope.h).
constexpr uint32_t kScopesMaxMax = kAccessScopesMax;

// The checks at the start need three at once (services/kv/postgres/postgres_start_checks.h).
constexpr uint32_t kPostgresConnectionsMaxMin = 4;
// S3 refuses smaller parts. Larger ones take too much memory.
constexpr uint64_t kPartBytesMin = 5 << 20;
constexpr uint64_t kPartBytesMax = 1 << 30;
constexpr uint64_t kPartsInUploadMemoryMin = 4;
// Each pull and each part on its way has one.
// Temporary credentials are renewed so long before they end.
constexpr absl::Duration kUrlLifetimeMax = absl::Minutes(5);
constexpr uint32_t kS3ConnectionsMaxMin = 16;

constexpr absl::Duration kTokenLifetimeMin = absl::Minutes(1);
constexpr absl::Duration kTokenLifetimeMax = absl::Hours(1);
constexpr absl::string_view kSigningAlgorithms[] = {"ES256", "EdDSA", "RS256"};

std::string Field(absl::string_view parent, absl::string_view name) { return absl::StrCat(parent, ".", name); }

void CheckAddress(absl::string_view field, const std::string& address, ConfigProblems* problems) {
  if (IpAddress::Parse(address).has_value()) return;
  problems->Add(Field(field, "address"), absl::StrCat("must be an IP address, not ", QuotedInput(address)));
}

void CheckPort(absl::string_view field, uint32_t port, ConfigProblems* problems) {
  if (port == 0) {
    problems->Add(Field(field, "port"), "is required");
  } else if (port > 65535) {
    problems->Add(Field(field, "port"), absl::StrCat("must be 1 to 65535, not ", port));
  }
}

void CheckReadableFile(absl::string_view field, const std::string& path, ConfigProblems* problems) {
  if (path.empty()) {
    problems->Add(field, "is required");
  } else if (const auto contents = ReadFileContents(path, kConfiguredFileBytesMax); !contents.ok()) {
    problems->Add(field, contents.status().message());
  }
}

void CheckAtLeast(absl::string_view field, uint32_t value, uint32_t min, ConfigProblems* problems) {
  if (value < min) problems->Add(field, absl::StrCat("must be at least ", min, ", not ", value));
}

void CheckAtMost(absl::string_view field, uint32_t value, uint32_t max, ConfigProblems* problems) {
  if (value > max) problems->Add(field, absl::StrCat("must be at most ", max, ", not ", value));
}

// "host:port"; the host is a name, an IPv4 address or an IPv6 address in brackets.
bool IsHostAndPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  absl::string_view host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.back() != ']') return false;
  } else if (host.find_first_of(":/[] \t") != absl::string_view::npos) {
    return false;
  }
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port;
  return absl::c_all_of(digits, absl::ascii_isdigit) && absl::SimpleAtoi(digits, &port) && port >= 1 && port <= 65535;
}

// "host:port", "host", or the directory of a socket, with or without a port.
bool IsDatabaseServer(absl::string_view text) {
  if (absl::StartsWith(text, "/")) {
    const size_t colon = text.rfind(':');
    return colon == absl::string_view::npos || IsHostAndPort(absl::StrCat("socket", text.substr(colon)));
  }
  return IsHostAndPort(text) || IsHostAndPort(absl::StrCat(text, ":5432"));
}

bool IsTarget(absl::string_view text) {
  return absl::c_all_of(absl::StrSplit(text, ','),
                        [](absl::string_view part) { return IsHostAndPort(absl::StripPrefix(part, "dns:///")); });
}

void CheckPeerTls(absl::string_view field, const config::v1::PeerTls& tls, ConfigProblems* problems) {
  bool given = true;
  for (const auto& [name, path] :
       {std::pair("certificate_file", &tls.certificate_file()), std::pair("private_key_file", &tls.private_key_file()),
        std::pair("ca_file", &tls.ca_file())}) {
    if (!path->empty()) continue;
    problems->Add(Field(field, name), "is required");
    given = false;
  }
  if (!given) return;
  if (const absl::Status status = CheckPeerFiles(tls); !status.ok()) problems->Add(field, status.message());
}

void CheckOpenAccess(absl::string_view field, const config::v1::PublicEndpoint& endpoint, ConfigProblems* problems) {
  if (endpoint.allow_unauthenticated()) {
    problems->Warn(Field(field, "allow_unauthenticated"),
                   absl::StrCat("every client that reaches ", endpoint.address(), " may push, pull and delete"));
    if (endpoint.names().empty()) {
      problems->Warn(Field(field, "names"),
                     "is empty: a web page whose name is made to resolve to the registry may read and change "
                     "everything from a browser that reaches it; list the names that clients use");
    }
  } else {
    problems->Add(Field(field, "address"),
                  absl::StrCat("other machines reach ", endpoint.address(),
                               ", and there is no authentication: configure it (examples/auth.yaml), listen on "
                               "127.0.0.1, or set allow_unauthenticated: true"));
  }
}

// "https://registry.example", optionally with a port, and nothing after it.
void CheckExternalUrl(absl::string_view field, absl::string_view url, ConfigProblems* problems) {
  if (url.empty()) return;
  absl::string_view host = url;
  const bool scheme = absl::ConsumePrefix(&host, "https://") || absl::ConsumePrefix(&host, "http://");
  if (scheme && (IsHostAndPort(host) || IsHostAndPort(absl::StrCat(host, ":443")))) return;
  problems->Add(field, absl::StrCat("must be like \"https://registry.example\", not ", QuotedInput(url)));
}

void CheckProxies(absl::string_view field, const config::v1::PublicEndpoint& endpoint, ConfigProblems* problems) {
  const std::string trusted_proxies = Field(field, "trusted_proxies");
  for (const std::string& text : endpoint.trusted_proxies()) {
    const absl::StatusOr<IpNetwork> network = IpNetwork::Parse(text);
    if (!network.ok()) {
      problems->Add(trusted_proxies, network.status().message());
    } else if (network->IsEverything()) {
      problems->Warn(trusted_proxies, absl::StrCat(text, " trusts every client: each may claim another's address"));
    }
  }
  const std::string& header = endpoint.forwarded_header();
  if (header != "x-forwarded-for" && header != "forwarded") {
    problems->Add(Field(field, "forwarded_header"),
                  absl::StrCat("must be x-forwarded-for or forwarded, not ", QuotedInput(header)));
  }
  if (endpoint.proxy_protocol() && endpoint.trusted_proxies().empty()) {
    problems->Add(Field(field, "proxy_protocol"),
                  absl::StrCat("needs ", trusted_proxies, ": the addresses of the proxies that send it"));
  }
}

void CheckNames(absl::string_view field, const config::v1::PublicEndpoint& endpoint, ConfigProblems* problems) {
  for (const std::string& name : endpoint.names()) {
    if (IsHost(name)) continue;
    problems->Add(field, absl::StrCat("must be names or addresses without a port, like \"registry.example\" or "
                                      "\"10.0.0.5\", not ",
                                      QuotedInput(name)));
  }
}

// A text that may stand between quotes in a WWW-Authenticate header.
void CheckQuotable(absl::string_view field, absl::string_view text, ConfigProblems* problems) {
  const bool good = absl::c_all_of(text, [](char c) { return absl::ascii_isprint(c) && c != '"' && c != '\\'; });
  if (!good) problems->Add(field, absl::StrCat("must be printable ASCII without quotes, not ", QuotedInput(text)));
}

// Checks that the file can be appended to, or created if it does not exist.
void CheckCanHold(absl::string_view field, const std::string& path, ConfigProblems* problems) {
  if (path.empty()) return;
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const bool there = ::access(path.c_str(), F_OK) == 0;
  if (::access(there ? path.c_str() : directory.c_str(), W_OK) == 0) return;
  problems->Add(field, absl::StrCat("cannot write to ", there ? path : directory, ": ", std::strerror(errno)));
}

void CheckS3Endpoint(const std::string& field, const std::string& endpoint, ConfigProblems* problems) {
  absl::string_view host = endpoint;
  const bool clear_text = absl::ConsumePrefix(&host, "http://");
  if (endpoint.empty()) {
    problems->Add(field, "is required");
  } else if ((!clear_text && !absl::ConsumePrefix(&host, "https://")) ||
             (!IsHostAndPort(host) && !IsHostAndPort(absl::StrCat(host, ":443")))) {
    problems->Add(field, absl::StrCat("must be like \"https://s3.example\", not ", QuotedInput(endpoint)));
  } else if (clear_text && !absl::StartsWith(host, "127.") && !absl::StartsWith(host, "localhost") &&
             !absl::StartsWith(host, "[::1]")) {
    problems->Warn(field, "has no TLS: blobs cross the network unencrypted");
  }
}

void CheckRedirects(const std::string& field, const config::v1::S3& s3, ConfigProblems* problems) {
  const config::v1::S3Redirects& redirects = s3.redirects();
  // One problem is enough for two fields.
  if (redirects.endpoint() != s3.endpoint()) CheckS3Endpoint(Field(field, "endpoint"), redirects.endpoint(), problems);
  if (redirects.clients().empty()) problems->Add(Field(field, "clients"), "is required");
  for (const std::string& text : redirects.clients()) {
    const absl::Status network = IpNetwork::Parse(text).status();
    if (!network.ok()) problems->Add(Field(field, "clients"), network.message());
  }
  const absl::Duration lifetime = ToDuration(redirects.url_lifetime());
  if (lifetime < absl::Seconds(1) || lifetime > kUrlLifetimeMax) {
    problems->Add(Field(field, "url_lifetime"), absl::StrCat("must be 1s to ", absl::FormatDuration(kUrlLifetimeMax),
                                                             ", not ", absl::FormatDuration(lifetime)));
  }
}

}  // namespace

void CheckEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems) {
  CheckAddress(field, endpoint.address(), problems);
  CheckPort(field, endpoint.port(), problems);
  if (endpoint.has_tls()) problems->Add(Field(field, "tls"), "is supported for gRPC only");
  if (endpoint.connections_max() != 0) {
    problems->Add(Field(field, "connections_max"), "is supported for gRPC only");
  }
}

void CheckGrpcEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems) {
  CheckAddress(field, endpoint.address(), problems);
  CheckPort(field, endpoint.port(), problems);
  CheckAtLeast(Field(field, "connections_max"), endpoint.connections_max(), kGrpcConnectionsMaxMin, problems);
  if (endpoint.has_tls()) {
    CheckPeerTls(Field(field, "tls"), endpoint.tls(), problems);
    if (endpoint.tls().peers().empty()) {
      problems->Add(Field(field, "tls.peers"), "is required: the names of the processes that may connect");
    }
  } else if (!IsLoopbackHost(endpoint.address())) {
    problems->Warn(Field(field, "tls"),
                   absl::StrCat("is not set: every client that reaches ", endpoint.address(), " may do everything"));
  }
}

void CheckPublicEndpoint(absl::string_view field, const config::v1::PublicEndpoint& endpoint, Access access,
                         ConfigProblems* problems) {
  CheckAddress(field, endpoint.address(), problems);
  CheckPort(field, endpoint.port(), problems);
  if (endpoint.has_tls()) CheckTls(Field(field, "tls"), endpoint.tls(), problems);
  CheckExternalUrl(Field(field, "external_url"), endpoint.external_url(), problems);
  CheckProxies(field, endpoint, problems);
  CheckNames(Field(field, "names"), endpoint, problems);
  if (IsLoopbackHost(endpoint.address())) return;
  if (access == Access::kOpen) {
    CheckOpenAccess(field, endpoint, problems);
  } else if (!endpoint.has_tls() && endpoint.trusted_proxies().empty() &&
             !absl::StartsWith(endpoint.external_url(), "https://")) {
    problems->Warn(Field(field, "tls"), "is not set: passwords and tokens cross the network in clear text");
  }
}

void CheckAuthentication(absl::string_view field, const config::v1::Authentication& authentication,
                         ConfigProblems* problems) {
  if (!authentication.accounts_file().empty()) {
    CheckReadableFile(Field(field, "accounts_file"), authentication.accounts_file(), problems);
  }
  CheckReadableFile(Field(field, "policy_file"), authentication.policy_file(), problems);
  CheckQuotable(Field(field, "service"), authentication.service(), problems);
  CheckQuotable(Field(field, "issuer"), authentication.issuer(), problems);
  const absl::Duration lifetime = ToDuration(authentication.token_lifetime());
  if (lifetime < kTokenLifetimeMin || lifetime > kTokenLifetimeMax) {
    problems->Add(Field(field, "token_lifetime"),
                  absl::StrCat("must be 1m to 1h, not ", absl::FormatDuration(lifetime)));
  }
  CheckDuration(Field(field, "refresh_token_lifetime"), authentication.refresh_token_lifetime(), problems);
  if (!absl::c_linear_search(kSigningAlgorithms, authentication.signing_algorithm())) {
    problems->Add(Field(field, "signing_algorithm"),
                  absl::StrCat("must be ES256, EdDSA or RS256, not ", QuotedInput(authentication.signing_algorithm())));
  }
  CheckDuration(Field(field, "failed_attempt_interval"), authentication.failed_attempt_interval(), problems);
  CheckCanHold(Field(field, "audit_file"), authentication.audit_file(), problems);
}

void CheckTls(absl::string_view field, const config::v1::TlsCertificate& tls, ConfigProblems* problems) {
  CheckReadableFile(Field(field, "certificate_file"), tls.certificate_file(), problems);
  CheckReadableFile(Field(field, "private_key_file"), tls.private_key_file(), problems);
}

void CheckLimits(absl::string_view field, const config::v1::Limits& limits, ConfigProblems* problems) {
  CheckAtLeast(Field(field, "header_bytes_max"), limits.header_bytes_max(), kHeaderBytesMaxMin, problems);
  CheckAtLeast(Field(field, "uri_bytes_max"), limits.uri_bytes_max(), kUriBytesMaxMin, problems);
  if (limits.uri_bytes_max() > limits.header_bytes_max()) {
    problems->Add(Field(field, "uri_bytes_max"), absl::StrCat("must not be more than header_bytes_max (",
                                                              limits.header_bytes_max(), "), which includes it"));
  }
  CheckAtLeast(Field(field, "manifest_bytes_max"), limits.manifest_bytes_max(), 1, problems);
  CheckAtMost(Field(field, "manifest_bytes_max"), limits.manifest_bytes_max(), kManifestBytesMaxMax, problems);
  CheckDuration(Field(field, "idle_timeout"), limits.idle_timeout(), problems);
  CheckDuration(Field(field, "header_timeout"), limits.header_timeout(), problems);
  CheckAtLeast(Field(field, "minimum_rate_bytes_per_second"), limits.minimum_rate_bytes_per_second(), 1, problems);
  CheckDuration(Field(field, "minimum_rate_window"), limits.minimum_rate_window(), problems);
  CheckAtLeast(Field(field, "connections_max"), limits.connections_max(), 1, problems);
  CheckDuration(Field(field, "silence_timeout"), limits.silence_timeout(), problems);
  CheckAtLeast(Field(field, "connections_per_address_max"), limits.connections_per_address_max(), 1, problems);
  if (limits.connections_per_address_max() > limits.connections_max()) {
    problems->Add(Field(field, "connections_per_address_max"),
                  absl::StrCat("must not be more than connections_max (", limits.connections_max(), ")"));
  }
  if (limits.ranges_max() > kRangesMaxMax) {
    problems->Add(Field(field, "ranges_max"),
                  absl::StrCat("must be at most ", kRangesMaxMax, ", not ", limits.ranges_max()));
  }
  const uint64_t body_memory_min = kManifestsInBodyMemoryMin * limits.manifest_bytes_max();
  if (limits.body_memory_bytes_max() < body_memory_min) {
    problems->Add(Field(field, "body_memory_bytes_max"),
                  absl::StrCat("must be at least ", body_memory_min, " (", kManifestsInBodyMemoryMin,
                               " times manifest_bytes_max), not ", limits.body_memory_bytes_max()));
  }
  CheckAtLeast(Field(field, "list_requests_waiting_max"), limits.list_requests_waiting_max(), 4, problems);
  CheckAtLeast(Field(field, "credential_bytes_max"), limits.credential_bytes_max(), kCredentialBytesMaxMin, problems);
  CheckAtMost(Field(field, "credential_bytes_max"), limits.credential_bytes_max(), kHeadPartBytesMaxMax, problems);
  CheckAtMost(Field(field, "scopes_max"), limits.scopes_max(), kScopesMaxMax, problems);
  CheckAtLeast(Field(field, "token_query_bytes_max"), limits.token_query_bytes_max(), kTokenQueryBytesMaxMin, problems);
  CheckAtMost(Field(field, "token_query_bytes_max"), limits.token_query_bytes_max(), kHeadPartBytesMaxMax, problems);
  CheckAtMost(Field(field, "authorization_bytes_max"), limits.authorization_bytes_max(), kHeadPartBytesMaxMax,
              problems);
}

void CheckCollector(absl::string_view field, const config::v1::Collector& collector, ConfigProblems* problems) {
  CheckDuration(Field(field, "lease"), collector.lease(), problems);
  CheckDuration(Field(field, "grace"), collector.grace(), problems);
  CheckDuration(Field(field, "interval"), collector.interval(), problems);
  CheckDuration(Field(field, "orphan_age"), collector.orphan_age(), problems);
  CheckDuration(Field(field, "orphan_interval"), collector.orphan_interval(), problems);
  CheckDuration(Field(field, "retention_interval"), collector.retention_interval(), problems);
  CheckDuration(Field(field, "scrub.interval"), collector.scrub().interval(), problems);
  CheckAtLeast(Field(field, "operations_per_second_max"), collector.operations_per_second_max(),
               collector.operations_per_second(), problems);
  if (collector.quarantine_percent_max() > 100) {
    problems->Add(Field(field, "quarantine_percent_max"), "must be from 1 to 100");
  }
}

void CheckUploads(absl::string_view field, const config::v1::Uploads& uploads, ConfigProblems* problems) {
  CheckDuration(Field(field, "session_lifetime"), uploads.session_lifetime(), problems);
  CheckAtLeast(Field(field, "sessions_max"), uploads.sessions_max(), 1, problems);
  if (uploads.sessions_per_account_max() > uploads.sessions_max()) {
    problems->Add(Field(field, "sessions_per_account_max"),
                  absl::StrCat("must be at most sessions_max, which is ", uploads.sessions_max(), ", not ",
                               uploads.sessions_per_account_max()));
  }
}

void CheckRecordStore(absl::string_view field, const config::v1::RecordStore& records, ConfigProblems* problems) {
  if (!records.has_postgres()) return;
  const config::v1::Postgres& postgres = records.postgres();
  const std::string parent = Field(field, "postgres");
  if (postgres.servers().empty()) problems->Add(Field(parent, "servers"), "is required");
  bool remote = false;
  for (const std::string& server : postgres.servers()) {
    if (!IsDatabaseServer(server)) {
      problems->Add(Field(parent, "servers"),
                    absl::StrCat("must be like \"db.example:5432\" or \"/run/postgresql\", not ", QuotedInput(server)));
    }
    remote = remote || !(absl::StartsWith(server, "/") || absl::StartsWith(server, "127.") ||
                         absl::StartsWith(server, "localhost") || absl::StartsWith(server, "[::1]"));
  }
  if (!postgres.password_file().empty()) {
    CheckReadableFile(Field(parent, "password_file"), postgres.password_file(), problems);
    WarnIfOpenToOthers(postgres.password_file());
  }
  if (postgres.has_tls()) {
    const config::v1::PostgresTls& tls = postgres.tls();
    CheckReadableFile(Field(parent, "tls.ca_file"), tls.ca_file(), problems);
    if (!tls.certificate_file().empty() || !tls.private_key_file().empty()) {
      CheckReadableFile(Field(parent, "tls.certificate_file"), tls.certificate_file(), problems);
      CheckReadableFile(Field(parent, "tls.private_key_file"), tls.private_key_file(), problems);
      WarnIfOpenToOthers(tls.private_key_file());
    }
  } else if (remote) {
    problems->Warn(Field(parent, "tls"), "is absent: records and passwords cross the network unencrypted");
  }
  CheckAtLeast(Field(parent, "connections_max"), postgres.connections_max(), kPostgresConnectionsMaxMin, problems);
  CheckDuration(Field(parent, "connection_wait"), postgres.connection_wait(), problems);
}

void CheckObjectStorage(absl::string_view field, const config::v1::ObjectStorage& objects, ConfigProblems* problems) {
  if (!objects.has_s3()) return;
  const config::v1::S3& s3 = objects.s3();
  const std::string parent = Field(field, "s3");
  CheckS3Endpoint(Field(parent, "endpoint"), s3.endpoint(), problems);
  if (s3.bucket().empty()) {
    problems->Add(Field(parent, "bucket"), "is required");
  } else if (absl::StrContains(s3.bucket(), '/')) {
    problems->Add(Field(parent, "bucket"), absl::StrCat("must not contain a slash: ", QuotedInput(s3.bucket())));
  }
  if (absl::StartsWith(s3.prefix(), "/")) {
    problems->Add(Field(parent, "prefix"), absl::StrCat("must not begin with a slash: ", QuotedInput(s3.prefix())));
  }
  for (const auto& [name, path] :
       {std::pair("ca_file", &s3.ca_file()), std::pair("credentials_file", &s3.credentials_file())}) {
    if (!path->empty()) CheckReadableFile(Field(parent, name), *path, problems);
  }
  if (s3.part_bytes() < kPartBytesMin || s3.part_bytes() > kPartBytesMax) {
    problems->Add(Field(parent, "part_bytes"),
                  absl::StrCat("must be ", kPartBytesMin, " to ", kPartBytesMax, ", not ", s3.part_bytes()));
  } else if (s3.upload_memory_bytes_max() / kPartsInUploadMemoryMin < s3.part_bytes()) {
    problems->Add(Field(parent, "upload_memory_bytes_max"),
                  absl::StrCat("must be at least ", kPartsInUploadMemoryMin * s3.part_bytes(),
                               ", which is four times part_bytes, not ", s3.upload_memory_bytes_max()));
  }
  CheckAtLeast(Field(parent, "connections_max"), s3.connections_max(), kS3ConnectionsMaxMin, problems);
  if (!s3.encryption().empty() && s3.encryption() != "AES256" && !absl::StartsWith(s3.encryption(), "aws:kms")) {
    problems->Add(Field(parent, "encryption"),
                  absl::StrCat("must be \"AES256\" or \"aws:kms\", not ", QuotedInput(s3.encryption())));
  }
  if (!s3.encryption_key_id().empty() && s3.encryption().empty()) {
    problems->Add(Field(parent, "encryption_key_id"), "needs encryption: aws:kms");
  }
  if (s3.has_redirects()) CheckRedirects(Field(parent, "redirects"), s3, problems);
}

void CheckLog(absl::string_view field, const config::v1::Log& log, ConfigProblems* problems) {
  if (ParseLogLevel(log.level()).has_value()) return;
  problems->Add(Field(field, "level"),
                absl::StrCat("must be debug, info, warning or error, not ", QuotedInput(log.level())));
}

void CheckService(absl::string_view field, const config::v1::Service& service, ConfigProblems* problems) {
  if (service.target().empty()) {
    problems->Add(Field(field, "target"), "is required");
  } else if (!IsTarget(service.target())) {
    problems->Add(Field(field, "target"),
                  absl::StrCat("must be \"host:port\" or \"dns:///name:port\", or several of them with commas between, "
                               "not ",
                               QuotedInput(service.target())));
  }
  CheckDuration(Field(field, "deadline"), service.deadline(), problems);
  if (service.has_tls()) CheckPeerTls(Field(field, "tls"), service.tls(), problems);
}

void CheckDataDirectory(absl::string_view field, const std::string& directory, ConfigProblems* problems) {
  if (directory.empty()) {
    problems->Add(field, "is required");
    return;
  }
  struct stat status;
  if (::stat(directory.c_str(), &status) == 0) {
    if (!S_ISDIR(status.st_mode)) problems->Add(field, absl::StrCat(directory, " is not a directory"));
  } else if (errno != ENOENT) {
    problems->Add(field, absl::StrCat("cannot use ", directory, ": ", std::strerror(errno)));
  }
}

void CheckDuration(absl::string_view field, const google::protobuf::Duration& duration, ConfigProblems* problems) {
  if (ToDuration(duration) > absl::ZeroDuration()) return;
  problems->Add(field, absl::StrCat("must be longer than 0, not ", absl::FormatDuration(ToDuration(duration))));
}

void CheckDrainDelay(absl::string_view field, const google::protobuf::Duration& delay, ConfigProblems* problems) {
  constexpr absl::Duration kLongest = absl::Minutes(5);
  const absl::Duration duration = ToDuration(delay);
  if (duration >= absl::ZeroDuration() && duration <= kLongest) return;
  problems->Add(field, absl::StrCat("must be from 0 to ", absl::FormatDuration(kLongest), ", not ",
                                    absl::FormatDuration(duration)));
}

}  // namespace entrepot::runtime
