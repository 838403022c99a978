#include "services/upstream/management/upstream_probe.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/time/stopwatch.h"
#include "services/outbound/url.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/client/manifest_media_type.h"
#include "services/upstream/client/registry_client.h"
#include "services/upstream/exchange/rate_limit_headers.h"

namespace entrepot::upstream {
namespace {

using Step = v1::UpstreamTest::Step;

constexpr absl::Duration kTimeout = absl::Seconds(30);
// How often a wait looks whether it is stopped.
constexpr absl::Duration kStopInterval = absl::Milliseconds(100);
// A certificate that ends earlier is pointed out.
constexpr absl::Duration kEndsSoon = absl::Hours(14 * 24);
// What requests for tokens accept, and no other request of the probe.
constexpr absl::string_view kLoginAccept = "application/json";

// What was sent to one server, without secrets.
struct Sent {
  // Of the server.
  std::string host = {};
  // Whether it asks for a token.
  bool is_login = false;
  // "basic", "bearer", "form" (a refresh token in the body), or empty.
  std::string authorization = {};
  // 0: there was no response.
  int status = 0;
};

// What the hops of the probe saw. Thread-safe.
class Observations {
 public:
  void Add(Sent sent) {
    const absl::MutexLock lock(&mutex_);
    sent_.push_back(std::move(sent));
  }
  void AddTrace(const outbound::HopTrace& trace) {
    const absl::MutexLock lock(&mutex_);
    if (!first_trace_.has_value()) first_trace_ = trace;
  }

  std::vector<Sent> sent() const {
    const absl::MutexLock lock(&mutex_);
    return sent_;
  }
  // Of the first request.
  outbound::HopTrace first_trace() const {
    const absl::MutexLock lock(&mutex_);
    return first_trace_.value_or(outbound::HopTrace());
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<Sent> sent_ ABSL_GUARDED_BY(mutex_);
  std::optional<outbound::HopTrace> first_trace_ ABSL_GUARDED_BY(mutex_);
};

// Empty if there is none.
std::string FieldOf(const outbound::HopRequest& request, absl::string_view field) {
  for (const auto& [name, value] : request.headers) {
    if (name == field) return value;
  }
  return "";
}

std::string AuthorizationOf(const outbound::HopRequest& request) {
  const std::string field = FieldOf(request, "Authorization");
  if (field.empty()) return request.body.empty() ? "" : "form";
  return absl::StartsWith(field, "Basic ") ? "basic" : "bearer";
}

class ObservedHop final : public outbound::HttpHop {
 public:
  ObservedHop(std::unique_ptr<outbound::HttpHop> hop, Observations* observations)
      : hop_(std::move(hop)), observations_(*observations) {}

  absl::StatusOr<outbound::HopHead> Send(const outbound::HopRequest& request, const outbound::HopSink& sink) override {
    Sent sent{.is_login = FieldOf(request, "Accept") == kLoginAccept, .authorization = AuthorizationOf(request)};
    if (const auto url = outbound::ParseUrl(request.url); url.ok()) sent.host = url->host;
    outbound::HopSink observing = sink;
    observing.on_head = [&](const outbound::HopHead& head) {
      sent.status = head.status;
      return sink.on_head ? sink.on_head(head) : absl::OkStatus();
    };
    absl::StatusOr<outbound::HopHead> head = hop_->Send(request, observing);
    observations_.Add(std::move(sent));
    return head;
  }
  void Stop() override { hop_->Stop(); }

 private:
  const std::unique_ptr<outbound::HttpHop> hop_;
  Observations& observations_;
};

// Calls `end` if `stop` is stopped while this object lives.
class StopWatcher {
 public:
  StopWatcher(StopSignal* stop, std::function<void()> end)
      : thread_([this, stop, end = std::move(end)] {
          while (!ended_.WaitFor(kStopInterval)) {
            if (stop->stopped()) return end();
          }
        }) {}
  ~StopWatcher() {
    ended_.Stop();
    thread_.join();
  }
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;

 private:
  StopSignal ended_;
  std::thread thread_;
};

// The variable of the environment from which libcurl takes a proxy for the scheme; empty: there is none.
std::string ProxyVariable(const std::string& scheme) {
  const std::vector<std::string> names = scheme == "https" ? std::vector<std::string>{"https_proxy", "HTTPS_PROXY"}
                                                           : std::vector<std::string>{"http_proxy"};
  for (const std::string& name : names) {
    if (const char* const value = std::getenv(name.c_str()); value != nullptr) return *value == '\0' ? "" : name;
  }
  for (const char* const name : {"all_proxy", "ALL_PROXY"}) {
    if (const char* const value = std::getenv(name); value != nullptr) return *value == '\0' ? "" : name;
  }
  return "";
}

std::string DateText(absl::Time time) { return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone()); }

class Probe {
 public:
  Probe(const UpstreamProbe& probe, outbound::Url url, StopSignal* stop,
        const std::function<void(const v1::UpstreamTest& test)>& show)
      : probe_(probe), url_(std::move(url)), stop_(*stop), show_(show) {}

  absl::Status Run() {
    TakeAddress();
    RegistryClient client(probe_.entry, url_, probe_.clock, std::make_shared<prometheus::Registry>(),
                          [this](outbound::HopOptions options) { return MakeObservedHop(std::move(options)); });
    {
      const StopWatcher watcher(&stop_, [&client] { client.Stop(); });
      TakeConnection(&client);
      TakeManifest(&client);
      TakeRateLimit(client);
    }
    if (stop_.stopped()) return absl::CancelledError("the test was stopped");
    return failure_;
  }

 private:
  // Without `took`, the step has taken all the time that no step before it has.
  void Add(absl::string_view name, Step::Result result, const std::string& detail,
           std::optional<absl::Duration> took = std::nullopt) {
    Step& step = *test_.add_steps();
    step.set_name(std::string(name));
    step.set_result(result);
    step.set_detail(detail);
    if (result != Step::SKIPPED) {
      const absl::Duration counted = took.value_or(stopwatch_.Elapsed() - counted_);
      step.set_seconds(absl::ToDoubleSeconds(counted));
      counted_ += counted;
    }
    if (result == Step::FAILED && failure_.ok()) {
      failure_ = absl::UnavailableError(absl::StrCat("the step ", name, " failed"));
    }
    show_(test_);
  }
  // Whether the step is not tried.
  bool Skips(absl::string_view name) {
    if (failure_.ok() && !stop_.stopped()) return false;
    Add(name, Step::SKIPPED, "a step before it failed");
    return true;
  }

  std::unique_ptr<outbound::HttpHop> MakeObservedHop(outbound::HopOptions options) {
    options.trace = [this](const outbound::HopTrace& trace) { observations_.AddTrace(trace); };
    return std::make_unique<ObservedHop>(probe_.make_hop(std::move(options)), &observations_);
  }

  // Resolves the host as requests do, and connects to none of its addresses.
  void TakeAddress() {
    struct Found {
      std::string address;
      absl::Status allowed;
    };
    std::vector<Found> found;
    outbound::HopOptions options = HopOptionsOf(probe_.entry, /*is_own=*/true);
    options.check_address = [&found, check = options.check_address](absl::string_view address) -> absl::Status {
      for (const Found& known : found) {
        if (known.address == address) return absl::AbortedError("resolved");
      }
      found.push_back({std::string(address), check ? check(address) : absl::OkStatus()});
      return absl::AbortedError("resolved");
    };
    const std::unique_ptr<outbound::HttpHop> hop = probe_.make_hop(std::move(options));
    absl::Status status;
    {
      const StopWatcher watcher(&stop_, [&hop] { hop->Stop(); });
      status = hop->Send({.url = probe_.entry.url(), .timeout = kTimeout}, {}).status();
    }
    if (found.empty()) {
      return Add(
          "address", Step::FAILED,
          absl::StrCat(status.message(), " (is the host in url right, and does this machine have a name server?)"));
    }
    std::vector<std::string> addresses;
    std::vector<std::string> refused;
    for (const Found& one : found) {
      (one.allowed.ok() ? addresses : refused).push_back(one.address);
    }
    const std::string variable = ProxyVariable(url_.scheme);
    const std::string of_what = variable.empty() ? url_.host
                                                 : absl::StrCat(url_.host, ", or of the proxy that ", variable,
                                                                " names, unless no_proxy has the host");
    if (addresses.empty()) {
      return Add("address", Step::FAILED,
                 absl::StrCat("no address of ", of_what, " may be used: ", found[0].allowed.message(),
                              ": set it to true if that is meant"));
    }
    Add("address", Step::OK,
        absl::StrCat("addresses of ", of_what, ": ", absl::StrJoin(addresses, ", "),
                     refused.empty() ? ""
                                     : absl::StrCat("; not used, since the entry does not allow them: ",
                                                    absl::StrJoin(refused, ", "))));
  }

  UpstreamRequests::Request RequestOf(RequestKind kind, const std::string& method, std::string url,
                                      absl::string_view accept) const {
    UpstreamRequests::Request request{.kind = kind, .repository = probe_.repository, .http = {}};
    request.http.method = method;
    request.http.url = std::move(url);
    request.http.headers = {{"Accept", std::string(accept)}, {"Accept-Encoding", "identity"}};
    request.http.timeout = kTimeout;
    return request;
  }

  // The request of the API's root shows three steps.
  void TakeConnection(RegistryClient* client) {
    if (Skips("connection")) {
      Skips("TLS");
      Skips("login");
      return;
    }
    const UpstreamRequests::Request request = RequestOf(RequestKind::kTags, "GET", client->base(), "*/*");
    const absl::StatusOr<Answer> answer = client->requests().Send(request, {});
    const outbound::HopTrace trace = observations_.first_trace();
    if (trace.ip_address.empty()) {
      Add("connection", Step::FAILED,
          absl::StrCat(answer.ok() ? "there was no connection" : answer.status().message(),
                       " (is the port in url right, and does a firewall let this machine connect?)"));
    } else {
      // Without TLS it is not known when the connection was open.
      Add("connection", Step::OK, absl::StrCat("connected to ", trace.ip_address, " port ", trace.port),
          trace.connected.value_or(absl::ZeroDuration()));
    }
    TakeTls(trace, answer.status());
    TakeLogin(client, request, answer);
  }

  void TakeTls(const outbound::HopTrace& trace, const absl::Status& status) {
    if (Skips("TLS")) return;
    if (url_.scheme != "https") return Add("TLS", Step::SKIPPED, "the URL begins with http://: nothing is encrypted");
    const outbound::ServerCertificate* const certificate = trace.certificate.get();
    if (trace.secured.has_value()) {
      const absl::Duration took = *trace.secured - trace.connected.value_or(absl::ZeroDuration());
      return Add("TLS", Step::OK, certificate == nullptr ? "secured" : CertificateText(*certificate), took);
    }
    if (certificate == nullptr) {
      return Add(
          "TLS", Step::FAILED,
          absl::StrCat(status.message(), " (the server has shown no certificate: does it have TLS at this port?)"));
    }
    Add("TLS", Step::FAILED,
        absl::StrCat(ProblemOf(*certificate, status), "; the server's certificate: ", CertificateText(*certificate)));
  }

  std::string CertificateText(const outbound::ServerCertificate& certificate) const {
    const absl::Duration left = certificate.not_after - probe_.clock->Now();
    return absl::StrCat("valid until ", DateText(certificate.not_after),
                        left > absl::ZeroDuration() && left < kEndsSoon
                            ? absl::StrCat(" (it ends in ", absl::ToInt64Hours(left), " hours)")
                            : "",
                        ", for ", QuotedInput(absl::StrJoin(certificate.hosts, ", ")), ", issued by ",
                        QuotedInput(certificate.issuer));
  }

  std::string ProblemOf(const outbound::ServerCertificate& certificate, const absl::Status& status) const {
    const absl::Time now = probe_.clock->Now();
    if (certificate.not_after < now)
      return absl::StrCat("its certificate has ended at ", DateText(certificate.not_after));
    if (certificate.not_before > now) {
      return absl::StrCat("its certificate begins at ", DateText(certificate.not_before),
                          "; is the clock of this machine right?");
    }
    // The host, or the client's certificate.
    if (certificate.problem.empty()) return std::string(status.message());
    return absl::StrCat("its certificate is not trusted: ", certificate.problem,
                        "; the file in ca_file must have the authority that signed it");
  }

  void TakeLogin(RegistryClient* client, const UpstreamRequests::Request& request,
                 const absl::StatusOr<Answer>& answer) {
    if (Skips("login")) return;
    if (!answer.ok()) {
      return Add("login", Step::FAILED, absl::StrCat(answer.status().message(), " (", LoginText(), ")"));
    }
    const int status = answer->head.status;
    const std::string login = LoginText();
    if (status == 200) return Add("login", Step::OK, login);
    // Some registries refuse the API's root to tokens of a repository.
    const bool has_token = !observations_.sent().empty() && observations_.sent().back().authorization == "bearer";
    if (has_token && (status == 401 || status == 403)) return Add("login", Step::OK, login);
    const std::string advice =
        status == 404 ? " (is url right? it must be without /v2)" : absl::StrCat(" (", login, ")");
    Add("login", Step::FAILED, absl::StrCat(client->requests().ErrorOf(request, *answer).message(), advice));
  }

  std::string CredentialsText() const {
    const config::v1::UpstreamCredentials& credentials = probe_.entry.credentials();
    if (!credentials.helper().empty()) return absl::StrCat("the credentials of the helper ", credentials.helper());
    return absl::StrCat("the credentials of ", QuotedInput(credentials.username()));
  }

  // With which credentials the requests were sent.
  std::string LoginText() const {
    bool with_credentials = false;
    std::string token_host;
    for (const Sent& sent : observations_.sent()) {
      if (sent.is_login) token_host = sent.host;
      if (sent.authorization == "basic" || sent.authorization == "form") with_credentials = true;
    }
    const std::string who = with_credentials ? absl::StrCat("with ", CredentialsText()) : "anonymous";
    const bool has_credentials = probe_.entry.has_credentials();
    if (token_host.empty()) {
      return absl::StrCat(who, !with_credentials && has_credentials
                                   ? "; the upstream has not asked for the credentials of the entry"
                                   : "");
    }
    return absl::StrCat(who, ", by a token of ", token_host,
                        !with_credentials && has_credentials
                            ? "; the credentials of the entry are not for that host (realm_hosts), or there are none"
                            : "");
  }

  void TakeManifest(RegistryClient* client) {
    if (Skips("manifest")) return;
    if (probe_.repository.empty()) return Add("manifest", Step::SKIPPED, "the test names no repository");
    const std::string reference = ReferenceToString(probe_.reference);
    const UpstreamRequests::Request request =
        RequestOf(RequestKind::kHeadManifest, "HEAD",
                  absl::StrCat(client->base(), probe_.repository, "/manifests/", reference), kManifestAccept);
    const absl::StatusOr<Answer> answer = client->requests().Send(request, {});
    if (!answer.ok()) return Add("manifest", Step::FAILED, std::string(answer.status().message()));
    const outbound::HopHead& head = answer->head;
    if (head.status != 200) {
      const auto wait = ParseRetryAfter(head, probe_.clock->Now());
      const bool may_be_private = head.status == 401 || head.status == 403 || head.status == 404;
      return Add(
          "manifest", Step::FAILED,
          absl::StrCat(client->requests().ErrorOf(request, *answer).message(), " (", LoginText(),
                       wait.has_value() ? absl::StrCat("; it may be asked again in ", absl::FormatDuration(*wait)) : "",
                       may_be_private && !probe_.entry.has_credentials()
                           ? "; for a private repository the entry needs credentials"
                           : "",
                       ")"));
    }
    const std::string type = ManifestMediaType(head.Field("content-type"));
    if (type.empty() || IsWebPage(head.Field("content-type"))) {
      return Add(
          "manifest", Step::FAILED,
          absl::StrCat("the answer is not a manifest, but has the type ", QuotedInput(head.Field("content-type"))));
    }
    const absl::string_view digest = head.Field("docker-content-digest");
    Add("manifest", Step::OK,
        absl::StrCat(probe_.repository, " ", reference, " is ",
                     digest.empty() ? "a manifest whose digest the upstream does not state" : QuotedInput(digest), ", ",
                     QuotedInput(type), "; ", LoginText()));
  }

  void TakeRateLimit(const RegistryClient& client) {
    const RateLimit limit = client.pace().rate_limit();
    if (!limit.remaining.has_value()) {
      if (!observations_.sent().empty() && observations_.sent().back().status == 429) {
        return Add("rate limit", Step::FAILED, "the upstream answers 429 and states no limit");
      }
      return Add("rate limit", Step::SKIPPED, "the upstream has stated none");
    }
    const std::string left = absl::StrCat(
        *limit.remaining, limit.limit.has_value() ? absl::StrCat(" of ", *limit.limit) : "", " requests are left");
    if (*limit.remaining > 0) return Add("rate limit", Step::OK, left);
    Add("rate limit", Step::FAILED,
        absl::StrCat(left, probe_.entry.has_credentials() ? "" : "; with credentials there may be more"));
  }

  const UpstreamProbe& probe_;
  const outbound::Url url_;
  StopSignal& stop_;
  const std::function<void(const v1::UpstreamTest& test)>& show_;
  Observations observations_;
  const Stopwatch stopwatch_;
  absl::Duration counted_ = absl::ZeroDuration();
  v1::UpstreamTest test_;
  absl::Status failure_ = absl::OkStatus();
};

}  // namespace

absl::Status RunProbe(const UpstreamProbe& probe, StopSignal* stop,
                      const std::function<void(const v1::UpstreamTest& test)>& show) {
  ASSIGN_OR_RETURN(outbound::Url url, outbound::ParseUrl(probe.entry.url()));
  return Probe(probe, std::move(url), stop, show).Run();
}

}  // namespace entrepot::upstream
