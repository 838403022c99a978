#include "services/outbound/http_hop.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <iterator>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/outbound/curl_request.h"
#include "services/outbound/trusted_authorities.h"
#include "services/outbound/url.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kStallBytesPerSecond = 1024;
constexpr long kBufferBytes = 256 * 1024;
constexpr long kConnectionsPerLine = 8;
constexpr size_t kIdleLinesMax = 32;
// libcurl does not use a connection again that has been idle for 118 seconds.
constexpr Clock::duration kIdleLineMax = std::chrono::seconds(118);

bool IsControl(char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }

struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// A handle, and the connections that it has opened. The handle must end before the multi handle.
struct Line {
  std::unique_ptr<CURLM, CurlMultiDeleter> multi{curl_multi_init()};
  Curl easy{curl_easy_init()};
  // Of the last request.
  std::string origin = {};
  Clock::time_point idle_since = {};
};

// How much longer the bytes of a response have taken than they would at the lowest rate that is allowed.
class Delay {
 public:
  void Add(Clock::duration waited, size_t bytes) {
    delay_ += absl::FromChrono(waited) - absl::Seconds(static_cast<double>(bytes) / kStallBytesPerSecond);
    delay_ = std::max(delay_, absl::ZeroDuration());
  }
  absl::Duration duration() const { return delay_; }

 private:
  absl::Duration delay_ = absl::ZeroDuration();
};

// One request and its response: what libcurl's callbacks read and write.
class Exchange {
 public:
  Exchange(const HopOptions& options, const HopSink& sink, const std::atomic<bool>& stopped)
      : options_(options), sink_(sink), stopped_(stopped), address_check_{.check = options.check_address} {}

  void SetCallbacks(CURL* curl) {
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, ReceiveHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ReceiveBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, AddressCheck::OpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &address_check_);
    // No socket is opened for a request on a connection that is used again.
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, CheckPeer);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
  }

  // Accounts for the time and the bytes since the last call; false if the response has stalled.
  bool InTime() {
    const Clock::time_point now = Clock::now();
    if (connected_) delay_.Add(now - counted_until_ - in_sink_, bytes_);
    counted_until_ = now;
    in_sink_ = {};
    bytes_ = 0;
    return delay_.duration() < options_.stall_timeout;
  }
  absl::Duration LeftUntilStall() const { return options_.stall_timeout - delay_.duration(); }

  // What Send() returns. `code` is libcurl's result, or an error if the exchange has been broken off.
  absl::StatusOr<HopHead> Result(CURLcode code, const std::string& url) {
    if (!sink_error_.ok()) return sink_error_;
    if (code == CURLE_OK && head_complete_) return std::move(head_);
    if (stopped_) return absl::CancelledError("requests to other servers have been stopped");
    if (!address_check_.refused.ok()) return address_check_.refused;
    if (code == CURLE_OK) problem_ = "it has no final response";
    if (problem_.empty()) problem_ = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    return absl::UnavailableError(absl::StrCat(head_complete_ ? "the response broke off from " : "no answer from ",
                                               UrlForMessage(url), ": ", problem_));
  }

  void SetProblem(std::string problem) { problem_ = std::move(problem); }

 private:
  // In the callbacks that receive data, any other number than `size` ends the transfer.
  static size_t ReceiveHeader(char* data, size_t, size_t size, void* to) {
    return static_cast<Exchange*>(to)->OnHeaderLine({data, size}) ? size : 0;
  }
  static size_t ReceiveBody(char* data, size_t, size_t size, void* to) {
    return static_cast<Exchange*>(to)->OnBytes({data, size}) ? size : 0;
  }
  static int CheckPeer(void* to, char* peer_ip, char*, int, int) {
    return static_cast<Exchange*>(to)->OnConnected(peer_ip) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }

  bool OnConnected(absl::string_view peer_ip) {
    if (!address_check_.Allows(peer_ip)) return false;
    // Other addresses of the host may have been refused.
    address_check_.refused = absl::OkStatus();
    if (!connected_) counted_until_ = Clock::now();
    connected_ = true;
    return true;
  }

  bool OnHeaderLine(absl::string_view line);
  bool AddField(absl::string_view line);

  bool OnBytes(absl::string_view bytes) {
    bytes_ += bytes.size();
    if (!head_complete_) return Refuse("the body precedes the head");
    return CallSink([&] { return sink_.on_bytes ? sink_.on_bytes(bytes) : absl::OkStatus(); });
  }

  template <typename Call>
  bool CallSink(const Call& call) {
    if (stopped_) return false;
    const Clock::time_point start = Clock::now();
    sink_error_ = call();
    in_sink_ += Clock::now() - start;
    return sink_error_.ok();
  }

  bool Refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  const HopOptions& options_;
  const HopSink& sink_;
  const std::atomic<bool>& stopped_;
  AddressCheck address_check_;
  absl::Status sink_error_ = absl::OkStatus();
  std::string problem_;
  char error_[CURL_ERROR_SIZE] = "";
  HopHead head_;
  bool head_complete_ = false;
  size_t header_bytes_ = 0;
  bool connected_ = false;
  Delay delay_;
  // Since the last call of InTime().
  Clock::time_point counted_until_ = {};
  Clock::duration in_sink_ = {};
  size_t bytes_ = 0;
};

bool Exchange::OnHeaderLine(absl::string_view line) {
  bytes_ += line.size();
  header_bytes_ += line.size();
  if (header_bytes_ > options_.header_bytes_max) {
    return Refuse(absl::StrCat("the header is larger than ", options_.header_bytes_max, " bytes"));
  }
  if (head_complete_) return true;  // A trailer.
  line = line.substr(0, line.find_last_not_of("\r\n") + 1);
  if (absl::StartsWith(line, "HTTP/")) {
    const absl::string_view status = line.substr(std::min(line.find(' '), line.size()));
    head_ = {};
    if (!absl::SimpleAtoi(status.substr(0, 4), &head_.status)) return Refuse("the status is not a number");
    return true;
  }
  if (!line.empty()) return AddField(line);
  if (head_.status < 200) return true;  // The final response follows.
  // libcurl would decode others, which no request asks for.
  for (const absl::string_view coding : head_.Fields("transfer-encoding")) {
    if (!absl::EqualsIgnoreCase(coding, "chunked")) return Refuse("the transfer coding is not \"chunked\"");
  }
  head_complete_ = true;
  return CallSink([this] { return sink_.on_head ? sink_.on_head(head_) : absl::OkStatus(); });
}

bool Exchange::AddField(absl::string_view line) {
  const auto is_control_but_tab = [](char c) { return c != '\t' && IsControl(c); };
  if (std::any_of(line.begin(), line.end(), is_control_but_tab)) return Refuse("the header has a control character");
  if ((line[0] == ' ' || line[0] == '\t') && !head_.fields.empty()) {
    absl::StrAppend(&head_.fields.back().second, " ", absl::StripAsciiWhitespace(line));
    return true;
  }
  const size_t colon = line.find(':');
  // Other clients leave out such lines, too.
  if (colon == absl::string_view::npos || colon == 0) return true;
  head_.fields.emplace_back(absl::AsciiStrToLower(absl::StripAsciiWhitespace(line.substr(0, colon))),
                            std::string(absl::StripAsciiWhitespace(line.substr(colon + 1))));
  return true;
}

// Refuses URLs by which a check of the URL's text and libcurl could disagree.
absl::StatusOr<CurlUrl> ParseHopUrl(const std::string& text) {
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return absl::InvalidArgumentError("the URL has a control character");
  }
  CurlUrl url(curl_url());
  // A signature of the path counts its dots.
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
  if (code != CURLUE_OK) return absl::InvalidArgumentError(absl::StrCat("not a URL: ", curl_url_strerror(code)));
  char* part = nullptr;
  if (curl_url_get(url.get(), CURLUPART_ZONEID, &part, 0) == CURLUE_OK) {
    curl_free(part);
    return absl::InvalidArgumentError("the URL has a zone");
  }
  if (curl_url_get(url.get(), CURLUPART_SCHEME, &part, 0) != CURLUE_OK) {
    return absl::InvalidArgumentError("the URL does not begin with http:// or https://");
  }
  const bool is_http = absl::EqualsIgnoreCase(part, "http") || absl::EqualsIgnoreCase(part, "https");
  curl_free(part);
  if (!is_http) return absl::InvalidArgumentError("the URL does not begin with http:// or https://");
  return url;
}

absl::StatusOr<HeaderLines> HeadersOf(const HopRequest& request, bool with_body) {
  HeaderLines lines;
  for (const auto& [name, value] : request.headers) RETURN_IF_ERROR(lines.Add(name, value));
  if (!IsNamed(request.headers, "Accept")) RETURN_IF_ERROR(lines.Omit("Accept"));
  if (with_body) RETURN_IF_ERROR(lines.OmitUnnamedOfBody(request.headers));
  return lines;
}

class CurlHttpHop final : public HttpHop {
 public:
  explicit CurlHttpHop(HopOptions options) : options_(std::move(options)) {}

  absl::StatusOr<HopHead> Send(const HopRequest& request, const HopSink& sink) override;
  void Stop() override;

 private:
  absl::StatusOr<std::unique_ptr<Line>> TakeLine(const std::string& origin);
  void ReturnLine(std::unique_ptr<Line> line);
  absl::Status SetTrust(CURL* curl) const;
  void ReportTrace(CURL* curl, const CertificateRecord& certificates) const;
  CURLcode Run(Line* line, Exchange* exchange) const;

  const HopOptions options_;
  std::atomic<bool> stopped_ = false;
  absl::Mutex mutex_;
  // The one that was used last is at the end.
  std::deque<std::unique_ptr<Line>> idle_ ABSL_GUARDED_BY(mutex_);
  std::set<Line*> busy_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<Line>> CurlHttpHop::TakeLine(const std::string& origin) {
  std::unique_ptr<Line> line;
  absl::MutexLock lock(&mutex_);
  if (stopped_) return absl::CancelledError("requests to other servers have been stopped");
  if (!idle_.empty()) {
    const auto of_origin =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& idle) { return idle->origin == origin; });
    const auto taken = of_origin == idle_.rend() ? std::prev(idle_.end()) : std::prev(of_origin.base());
    line = std::move(*taken);
    idle_.erase(taken);
  } else {
    line = std::make_unique<Line>();
    if (line->multi == nullptr || line->easy == nullptr) return absl::UnavailableError("libcurl cannot be initialised");
    curl_multi_setopt(line->multi.get(), CURLMOPT_MAXCONNECTS, kConnectionsPerLine);
  }
  line->origin = origin;
  busy_.insert(line.get());
  return line;
}

void CurlHttpHop::ReturnLine(std::unique_ptr<Line> line) {
  // Closed without the lock.
  std::vector<std::unique_ptr<Line>> ended;
  line->idle_since = Clock::now();
  absl::MutexLock lock(&mutex_);
  busy_.erase(line.get());
  idle_.push_back(std::move(line));
  while (!idle_.empty() && (stopped_ || idle_.size() > kIdleLinesMax ||
                            idle_.back()->idle_since - idle_.front()->idle_since > kIdleLineMax)) {
    ended.push_back(std::move(idle_.front()));
    idle_.pop_front();
  }
}

absl::Status CurlHttpHop::SetTrust(CURL* curl) const {
  if (!options_.ca_file.empty() && !options_.trusts_system_too) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  } else if (!options_.ca_file.empty()) {
    absl::StatusOr<std::string> authorities = TrustedAuthoritiesWith(options_.ca_file);
    if (!authorities.ok()) return absl::UnavailableError(authorities.status().message());
    curl_blob blob{.data = authorities->data(), .len = authorities->size(), .flags = CURL_BLOB_COPY};
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (!options_.client_certificate_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_SSLCERT, options_.client_certificate_file.c_str());
    curl_easy_setopt(curl, CURLOPT_SSLKEY, options_.client_key_file.c_str());
  }
  return absl::OkStatus();
}

// CURLOPT_SSL_CTX_FUNCTION; `to` is a CertificateRecord*.
CURLcode RecordCertificates(CURL*, void* ssl_ctx, void* to) {
  static_cast<CertificateRecord*>(to)->RecordOn(ssl_ctx);
  return CURLE_OK;
}

void CurlHttpHop::ReportTrace(CURL* curl, const CertificateRecord& certificates) const {
  HopTrace trace;
  for (const auto& [info, duration] :
       {std::pair(CURLINFO_NAMELOOKUP_TIME_T, &trace.resolved), std::pair(CURLINFO_CONNECT_TIME_T, &trace.connected),
        std::pair(CURLINFO_APPCONNECT_TIME_T, &trace.secured)}) {
    curl_off_t microseconds = 0;
    if (curl_easy_getinfo(curl, info, &microseconds) == CURLE_OK && microseconds > 0) {
      *duration = absl::Microseconds(microseconds);
    }
  }
  const char* ip_address = nullptr;
  long port = 0;
  if (curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &ip_address) == CURLE_OK && ip_address != nullptr) {
    trace.ip_address = ip_address;
  }
  if (curl_easy_getinfo(curl, CURLINFO_PRIMARY_PORT, &port) == CURLE_OK) trace.port = static_cast<int>(port);
  trace.certificate = certificates.last();
  options_.trace(trace);
}

CURLcode CurlHttpHop::Run(Line* line, Exchange* exchange) const {
  CURLM* const multi = line->multi.get();
  if (curl_multi_add_handle(multi, line->easy.get()) != CURLM_OK) return CURLE_FAILED_INIT;
  const absl::Cleanup remove = [&] { curl_multi_remove_handle(multi, line->easy.get()); };
  while (true) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (stopped_) return CURLE_ABORTED_BY_CALLBACK;
    if (!exchange->InTime()) {
      exchange->SetProblem(absl::StrCat("fewer than ", kStallBytesPerSecond, " bytes a second arrived for ",
                                        absl::FormatDuration(options_.stall_timeout)));
      return CURLE_OPERATION_TIMEDOUT;
    }
    const absl::Duration wait = std::clamp(exchange->LeftUntilStall(), absl::Milliseconds(1), absl::Seconds(1));
    // Stop() wakes it.
    if (curl_multi_poll(multi, nullptr, 0, static_cast<int>(CurlMilliseconds(wait)), nullptr) != CURLM_OK) {
      return CURLE_FAILED_INIT;
    }
  }
}

absl::StatusOr<HopHead> CurlHttpHop::Send(const HopRequest& request, const HopSink& sink) {
  ASSIGN_OR_RETURN(const CurlUrl url, ParseHopUrl(request.url));
  // Servers want the length of an empty body, too.
  const bool with_body = !request.body.empty() || request.method == "POST";
  ASSIGN_OR_RETURN(const HeaderLines headers, HeadersOf(request, with_body));
  ASSIGN_OR_RETURN(const Url parts, ParseUrl(request.url));
  ASSIGN_OR_RETURN(std::unique_ptr<Line> line, TakeLine(parts.Origin()));
  Exchange exchange(options_, sink, stopped_);
  CURL* const curl = line->easy.get();
  curl_easy_reset(curl);
  SetCommonOptions(options_.user_agent, options_.connect_timeout, curl);
  curl_easy_setopt(curl, CURLOPT_CURLU, url.get());
  // libcurl 7.88 may take an HTTP/2 body that the server has aborted for a complete one.
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBufferBytes);
  // Otherwise, the end of a request waits for the name server.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  if (request.timeout != absl::InfiniteDuration()) {
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CurlMilliseconds(request.timeout));
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (with_body) SetBody(request.body, curl);
  SetMethod(request.method, curl);
  exchange.SetCallbacks(curl);
  std::shared_ptr<CertificateRecord> certificates;
  if (options_.trace) {
    certificates = std::make_shared<CertificateRecord>();
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, RecordCertificates);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, certificates.get());
  }
  absl::StatusOr<HopHead> result = HopHead();
  if (const absl::Status trust = SetTrust(curl); trust.ok()) {
    result = exchange.Result(Run(line.get(), &exchange), request.url);
    if (options_.trace) ReportTrace(curl, *certificates);
  } else {
    result = trust;
  }
  // The handle refers to the exchange.
  curl_easy_reset(curl);
  ReturnLine(std::move(line));
  return result;
}

void CurlHttpHop::Stop() {
  std::deque<std::unique_ptr<Line>> ended;
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (Line* const line : busy_) curl_multi_wakeup(line->multi.get());
  ended.swap(idle_);
}

}  // namespace

absl::string_view HopHead::Field(absl::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return "";
}

std::vector<absl::string_view> HopHead::Fields(absl::string_view name) const {
  std::vector<absl::string_view> values;
  for (const auto& [field, value] : fields) {
    if (field == name) values.emplace_back(value);
  }
  return values;
}

std::unique_ptr<HttpHop> HttpHop::Create(HopOptions options) {
  InitialiseCurl();
  return std::make_unique<CurlHttpHop>(std::move(options));
}

}  // namespace entrepot::outbound
