#include "services/runtime/config/config_checks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/files/file_contents.h"
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

// More would not be read.
constexpr size_t kShownProblemsMax = 100;

constexpr absl::Duration kTokenLifetimeMin = absl::Minutes(1);
constexpr absl::Duration kTokenLifetimeMax = absl::Hours(1);
constexpr absl::string_view kSigningAlgorithms[] = {"ES256", "EdDSA", "RS256"};

std::string Field(absl::string_view parent, absl::string_view name) { return absl::StrCat(parent, ".", name); }

void CheckAddress(absl::string_view field, const std::string& address, ConfigProblems* problems) {
  unsigned char bytes[sizeof(in6_addr)];
  const bool whole = address.find('\0') == std::string::npos;
  if (whole && (inet_pton(AF_INET, address.c_str(), bytes) == 1 || inet_pton(AF_INET6, address.c_str(), bytes) == 1))
    return;
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

bool IsLoopback(const std::string& address) {
  in_addr v4;
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
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

}  // namespace

void ConfigProblems::Warn(absl::string_view field, absl::string_view warning) {
  warnings_.push_back(absl::StrCat(field, ": ", warning));
}

void ConfigProblems::Add(absl::string_view field, absl::string_view problem) {
  lines_.push_back(absl::StrCat(field, ": ", problem));
}

void ConfigProblems::AddLines(absl::string_view field, const absl::Status& status) {
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n', absl::SkipEmpty())) Add(field, line);
}

absl::Status ConfigProblems::ToStatus(absl::string_view file_name) const {
  if (empty()) return absl::OkStatus();
  std::vector<std::string> shown = lines_;
  if (shown.size() > kShownProblemsMax) shown.resize(kShownProblemsMax);
  if (shown.size() < lines_.size()) {
    shown.push_back(absl::StrCat("and ", lines_.size() - shown.size(), " more problems"));
  }
  const auto append_line = [&](std::string* out, const std::string& line) {
    absl::StrAppend(out, file_name, ": ", line);
  };
  return absl::InvalidArgumentError(absl::StrJoin(shown, "\n", append_line));
}

void CheckEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems) {
  CheckAddress(field, endpoint.address(), problems);
  CheckPort(field, endpoint.port(), problems);
  if (endpoint.has_tls()) problems->Add(Field(field, "tls"), "is supported for gRPC only");
}

void CheckGrpcEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems) {
  CheckAddress(field, endpoint.address(), problems);
  CheckPort(field, endpoint.port(), problems);
  if (endpoint.has_tls()) {
    CheckPeerTls(Field(field, "tls"), endpoint.tls(), problems);
    if (endpoint.tls().peers().empty()) {
      problems->Add(Field(field, "tls.peers"), "is required: the names of the processes that may connect");
    }
  } else if (!IsLoopback(endpoint.address())) {
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
  if (IsLoopback(endpoint.address())) return;
  if (access == Access::kOpen) {
    CheckOpenAccess(field, endpoint, problems);
  } else if (!endpoint.has_tls() && !absl::StartsWith(endpoint.external_url(), "https://")) {
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
  if (limits.manifest_bytes_max() > kManifestBytesMaxMax) {
    problems->Add(Field(field, "manifest_bytes_max"),
                  absl::StrCat("must be at most ", kManifestBytesMaxMax, ", not ", limits.manifest_bytes_max()));
  }
  CheckDuration(Field(field, "idle_timeout"), limits.idle_timeout(), problems);
  CheckDuration(Field(field, "header_timeout"), limits.header_timeout(), problems);
  CheckAtLeast(Field(field, "minimum_rate_bytes_per_second"), limits.minimum_rate_bytes_per_second(), 1, problems);
  CheckDuration(Field(field, "minimum_rate_window"), limits.minimum_rate_window(), problems);
  CheckAtLeast(Field(field, "connections_max"), limits.connections_max(), 1, problems);
  const uint64_t body_memory_min = kManifestsInBodyMemoryMin * limits.manifest_bytes_max();
  if (limits.body_memory_bytes_max() < body_memory_min) {
    problems->Add(Field(field, "body_memory_bytes_max"),
                  absl::StrCat("must be at least ", body_memory_min, " (", kManifestsInBodyMemoryMin,
                               " times manifest_bytes_max), not ", limits.body_memory_bytes_max()));
  }
  CheckAtLeast(Field(field, "list_requests_waiting_max"), limits.list_requests_waiting_max(), 4, problems);
}

void CheckCollector(absl::string_view field, const config::v1::Collector& collector, ConfigProblems* problems) {
  CheckDuration(Field(field, "lease"), collector.lease(), problems);
  CheckDuration(Field(field, "grace"), collector.grace(), problems);
  CheckDuration(Field(field, "interval"), collector.interval(), problems);
  CheckDuration(Field(field, "orphan_age"), collector.orphan_age(), problems);
  CheckDuration(Field(field, "orphan_interval"), collector.orphan_interval(), problems);
  CheckDuration(Field(field, "retention_interval"), collector.retention_interval(), problems);
  CheckDuration(Field(field, "scrub.interval"), collector.scrub().interval(), problems);
}

void CheckUploads(absl::string_view field, const config::v1::Uploads& uploads, ConfigProblems* problems) {
  CheckDuration(Field(field, "session_lifetime"), uploads.session_lifetime(), problems);
  CheckAtLeast(Field(field, "sessions_max"), uploads.sessions_max(), 1, problems);
}

void CheckLog(absl::string_view field, const config::v1::Log& log, ConfigProblems* problems) {
  if (ParseLogLevel(log.level()).has_value()) return;
  problems->Add(Field(field, "level"),
                absl::StrCat("must be debug, info, warning or error, not ", QuotedInput(log.level())));
}

void CheckService(absl::string_view field, const config::v1::Service& service, ConfigProblems* problems) {
  if (service.target().empty()) {
    problems->Add(Field(field, "target"), "is required");
  } else if (!IsHostAndPort(absl::StripPrefix(service.target(), "dns:///"))) {
    problems->Add(Field(field, "target"),
                  absl::StrCat("must be \"host:port\" or \"dns:///name:port\", not ", QuotedInput(service.target())));
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

}  // namespace entrepot::runtime
