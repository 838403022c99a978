#include "services/outbound/curl_transport.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/core/time/deadline.h"
#include "services/core/time/stopwatch.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr size_t kHeaderBytesMax = 64 << 10;
// A connection that was idle for longer may be half closed by the server.
constexpr long kIdleSecondsMax = 50;
constexpr int kPollMilliseconds = 1000;
// For whoever found no connection.
constexpr absl::Duration kRetryAfter = absl::Seconds(5);

}  // namespace

class CurlTransport::Response : public WireResponse {
 public:
  Response(CurlTransport* transport, Lane lane, const WireRequest& request)
      : transport_(*transport),
        lane_(std::move(lane)),
        body_(request.body),
        idle_timeout_(request.idle_timeout),
        paced_by_client_(request.paced_by_client),
        client_(request.client),
        kept_until_(Deadline::After(transport->options_.unread_max)) {}

  ~Response() override {
    if (paced_by_client_) {
      const std::lock_guard<std::mutex> lock(transport_.mutex_);
      transport_.paced_.erase(this);
    }
    if (lane_.easy != nullptr) transport_.GiveBack(LeaveLane(), paced_by_client_, client_);
  }

  absl::Status Start(const WireRequest& request) {
    url_ = UrlForMessage(request.url);
    CURL* const curl = lane_.easy.get();
    const CurlTransportOptions& options = transport_.options_;
    SetCommonOptions(options.user_agent, options.connect_timeout, curl);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    // The path was encoded and signed as it is.
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    SetMethod(request.method, curl);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, static_cast<long>(kBufferBytes));
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(kBufferBytes));
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kIdleSecondsMax);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
    if (!request.use_proxy) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    for (const auto& [name, value] : request.headers) RETURN_IF_ERROR(headers_to_send_.Add(name, value));
    if (request.method == "PUT" || request.method == "POST") {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body_.empty() ? "" : body_.data());
      RETURN_IF_ERROR(headers_to_send_.Omit("Content-Type"));
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_to_send_.get());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Response::OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Response::OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Response::OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    if (curl_multi_add_handle(lane_.multi.get(), curl) != CURLM_OK) return Unavailable("libcurl is out of memory");
    added_ = true;
    RETURN_IF_ERROR(RunUntil([this] { return header_complete_ || ended_; }));
    return header_complete_ ? absl::OkStatus() : Unavailable("the server closed the connection");
  }

  int status() const override { return status_; }
  const std::map<std::string, std::string>& headers() const override { return headers_; }

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    absl::StatusOr<size_t> count = ReadLocked(data, size);
    kept_until_ = Deadline::After(transport_.options_.unread_max);
    return count;
  }

  // The lane, if the response was not read for `unread_max`; else `*left` is how long it is until then at least.
  std::optional<Lane> TakeLaneIfUnread(absl::Duration* left) {
    *left = transport_.options_.unread_max;
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || lane_.easy == nullptr) return std::nullopt;
    *left = kept_until_.Left();
    if (!kept_until_.passed()) return std::nullopt;
    return LoseLane("it was not read");
  }

  // How long the response is kept from those that wait; nullopt if it is being read.
  std::optional<absl::Duration> KeptFor() {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || lane_.easy == nullptr) return std::nullopt;
    return kept_until_.Left();
  }

  // The lane, unless the response is being read.
  std::optional<Lane> TakeLane() {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || lane_.easy == nullptr) return std::nullopt;
    return LoseLane("its client has the most");
  }

  const std::string& client() const { return client_; }

 private:
  Lane LoseLane(absl::string_view reason) {
    Lane lane = LeaveLane();
    buffer_ = std::string();
    taken_ = 0;
    ended_ = true;
    failure_ = Unavailable(absl::StrCat(reason, ", and its connection was given to another request"));
    return lane;
  }

  Lane LeaveLane() {
    if (added_) curl_multi_remove_handle(lane_.multi.get(), lane_.easy.get());
    added_ = false;
    curl_easy_reset(lane_.easy.get());
    return std::move(lane_);
  }

  absl::StatusOr<size_t> ReadLocked(char* data, size_t size) {
    if (buffered() == 0 && !ended_) {
      buffer_.clear();
      taken_ = 0;
      reader_ = {.data = data, .size = size};
      if (paused_) {
        paused_ = false;
        curl_easy_pause(lane_.easy.get(), CURLPAUSE_CONT);
      }
      const absl::Status status = RunUntil([this] { return reader_.filled > 0 || ended_; });
      const size_t filled = std::exchange(reader_, {}).filled;
      RETURN_IF_ERROR(status);
      if (filled > 0) return filled;
    }
    RETURN_IF_ERROR(buffered() > 0 ? absl::OkStatus() : failure_);
    const size_t count = std::min(size, buffered());
    std::memcpy(data, buffer_.data() + taken_, count);
    taken_ += count;
    return count;
  }

  static size_t OnHeader(char* data, size_t, size_t size, void* self) {
    return static_cast<Response*>(self)->TakeHeader({data, size}) ? size : 0;
  }
  static size_t OnBody(char* data, size_t, size_t size, void* self) {
    auto& response = *static_cast<Response*>(self);
    response.progressed_ = true;
    Reader& reader = response.reader_;
    const size_t direct = std::min(size, reader.size - reader.filled);
    // A call is taken as a whole or not at all.
    if (direct < size && response.buffered() >= kBufferBytes) {
      response.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    if (direct > 0) std::memcpy(reader.data + reader.filled, data, direct);
    reader.filled += direct;
    response.buffer_.append(data + direct, size - direct);
    return size;
  }
  static int OnProgress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    auto& response = *static_cast<Response*>(self);
    if (received + sent != response.transferred_) response.progressed_ = true;
    response.transferred_ = received + sent;
    return 0;
  }

  bool TakeHeader(absl::string_view line) {
    progressed_ = true;
    header_bytes_ += line.size();
    if (header_bytes_ > kHeaderBytesMax) return false;
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "HTTP/")) {
      headers_.clear();
      return true;
    }
    if (line.empty()) {
      long status = 0;
      curl_easy_getinfo(lane_.easy.get(), CURLINFO_RESPONSE_CODE, &status);
      status_ = static_cast<int>(status);
      header_complete_ = header_complete_ || status_ >= 200;
      return true;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return true;
    headers_[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
    return true;
  }

  size_t buffered() const { return buffer_.size() - taken_; }

  absl::Status Unavailable(absl::string_view reason) const {
    return OciError(OciErrorCode::kUnavailable, absl::StrCat("no complete response from ", url_, ": ", reason));
  }

  // Errors of a transfer that has ended are in failure_.
  template <typename Done>
  absl::Status RunUntil(Done done) {
    const Stopwatch stopwatch;
    absl::Duration progressed_at = absl::ZeroDuration();
    while (true) {
      int running = 0;
      progressed_ = false;
      if (curl_multi_perform(lane_.multi.get(), &running) != CURLM_OK) return Unavailable("libcurl failed");
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(lane_.multi.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        ended_ = true;
        if (message->data.result != CURLE_OK) failure_ = Unavailable(curl_easy_strerror(message->data.result));
      }
      if (ended_ && !header_complete_ && !failure_.ok()) return failure_;
      if (done()) return absl::OkStatus();
      if (progressed_) progressed_at = stopwatch.Elapsed();
      const absl::Duration silence = stopwatch.Elapsed() - progressed_at;
      if (silence > idle_timeout_) {
        return Unavailable(absl::StrCat("the server was silent for ", absl::FormatDuration(idle_timeout_)));
      }
      const absl::Duration left_time = idle_timeout_ - silence;
      curl_multi_poll(lane_.multi.get(), nullptr, 0,
                      static_cast<int>(std::min<int64_t>(kPollMilliseconds, absl::ToInt64Milliseconds(left_time) + 1)),
                      nullptr);
    }
  }

  CurlTransport& transport_;
  Lane lane_;
  const absl::string_view body_;
  const absl::Duration idle_timeout_;
  const bool paced_by_client_;
  const std::string client_;
  // Held while the lane is used, once other threads know of this.
  std::mutex mutex_;
  // From then on others may have the lane, unless it is read before.
  Deadline kept_until_;
  std::string url_;
  HeaderLines headers_to_send_;
  bool added_ = false;
  int status_ = 0;
  size_t header_bytes_ = 0;
  std::map<std::string, std::string> headers_;
  bool header_complete_ = false;
  bool ended_ = false;
  bool paused_ = false;
  bool progressed_ = false;
  curl_off_t transferred_ = 0;
  absl::Status failure_;
  // Where the bytes go while Read() waits for them.
  struct Reader {
    char* data = nullptr;
    size_t size = 0;
    size_t filled = 0;
  };
  Reader reader_;
  // Those that came beside them.
  std::string buffer_;
  size_t taken_ = 0;
};

CurlTransport::CurlTransport(CurlTransportOptions options)
    : options_(std::move(options)), paced_max_(options_.connections_max - options_.connections_max / 4) {
  InitialiseCurl();
}

CurlTransport::~CurlTransport() = default;

absl::StatusOr<std::unique_ptr<WireResponse>> CurlTransport::Send(const WireRequest& request) {
  ASSIGN_OR_RETURN(Lane lane, Take(request));
  auto response = std::make_unique<Response>(this, std::move(lane), request);
  RETURN_IF_ERROR(response->Start(request));
  if (request.paced_by_client) {
    const std::lock_guard<std::mutex> lock(mutex_);
    paced_.insert(response.get());
  }
  return response;
}

bool CurlTransport::IsFull(bool paced_by_client) const {
  return taken_ >= options_.connections_max || (paced_by_client && paced_taken_ >= paced_max_);
}

absl::Status CurlTransport::Full() const {
  const bool all = taken_ >= options_.connections_max;
  return WithRetryAfter(
      OciError(OciErrorCode::kUnavailable,
               all ? absl::StrCat("all ", options_.connections_max,
                                  " connections to the server are in use: ", options_.connections_max_name)
                   : absl::StrCat("all ", paced_max_,
                                  " connections to the server that clients may read from are in use: three quarters "
                                  "of ",
                                  options_.connections_max_name)),
      kRetryAfter);
}

absl::StatusOr<CurlTransport::Lane> CurlTransport::Take(const WireRequest& request) {
  const bool paced = request.paced_by_client;
  const std::string client = paced ? request.client : "";
  const Stopwatch stopwatch;
  std::unique_lock<std::mutex> lock(mutex_);
  bool waits = false;
  absl::Status status;
  while (IsFull(paced)) {
    // Both may free one.
    const absl::Duration next = TakeUnread();
    if (next <= absl::ZeroDuration() || (!client.empty() && TakeFromLargest(client))) continue;
    if (!waits && !client.empty()) {
      const auto waiting = waiting_of_.find(client);
      if ((waiting == waiting_of_.end() ? 0 : waiting->second) >= options_.client_waiting_max) return Full();
      ++waiting_of_[client];
      waits = true;
    }
    const absl::Duration left = options_.wait_max - stopwatch.Elapsed();
    if (left <= absl::ZeroDuration()) {
      status = Full();
      break;
    }
    given_back_.wait_until(lock, Deadline::After(std::min(left, next)).time());
  }
  if (waits && --waiting_of_[client] == 0) waiting_of_.erase(client);
  RETURN_IF_ERROR(status);
  Lane lane;
  if (idle_.empty()) {
    lane.easy.reset(curl_easy_init());
    lane.multi.reset(curl_multi_init());
    if (lane.easy == nullptr || lane.multi == nullptr) return absl::UnavailableError("libcurl is out of memory");
  } else {
    lane = std::move(idle_.back());
    idle_.pop_back();
  }
  CountTaken(paced, client);
  return lane;
}

void CurlTransport::CountTaken(bool paced_by_client, const std::string& client) {
  ++taken_;
  if (!paced_by_client) return;
  ++paced_taken_;
  if (!client.empty()) ++paced_of_[client];
}

void CurlTransport::CountGivenBack(bool paced_by_client, const std::string& client) {
  --taken_;
  if (!paced_by_client) return;
  --paced_taken_;
  if (const auto found = paced_of_.find(client); found != paced_of_.end() && --found->second == 0) {
    paced_of_.erase(found);
  }
}

absl::Duration CurlTransport::TakeUnread() {
  absl::Duration next = absl::InfiniteDuration();
  for (Response* const response : paced_) {
    absl::Duration left;
    std::optional<Lane> lane = response->TakeLaneIfUnread(&left);
    if (lane.has_value()) {
      Lose(response, *std::move(lane), LostConnection::kUnread);
      return absl::ZeroDuration();
    }
    next = std::min(next, left);
  }
  return next;
}

bool CurlTransport::TakeFromLargest(const std::string& client) {
  const auto largest = std::max_element(paced_of_.begin(), paced_of_.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto own = paced_of_.find(client);
  const size_t count = own == paced_of_.end() ? 0 : own->second;
  if (largest == paced_of_.end() || largest->second <= count + 1) return false;
  // The one that was read least recently.
  Response* found = nullptr;
  absl::Duration kept_for = absl::InfiniteDuration();
  for (Response* const response : paced_) {
    if (response->client() != largest->first) continue;
    const absl::Duration left = response->KeptFor().value_or(absl::InfiniteDuration());
    if (left < kept_for) {
      kept_for = left;
      found = response;
    }
  }
  if (found == nullptr) return false;
  std::optional<Lane> lane = found->TakeLane();
  if (!lane.has_value()) return false;
  Lose(found, *std::move(lane), LostConnection::kShare);
  return true;
}

void CurlTransport::Lose(Response* response, Lane lane, LostConnection reason) {
  paced_.erase(response);
  CountGivenBack(/*paced_by_client=*/true, response->client());
  idle_.push_back(std::move(lane));
  if (options_.on_lost) options_.on_lost(reason);
}

void CurlTransport::GiveBack(Lane lane, bool paced_by_client, const std::string& client) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    CountGivenBack(paced_by_client, client);
    idle_.push_back(std::move(lane));
  }
  // Not all who wait may have this one.
  given_back_.notify_all();
}

}  // namespace entrepot::outbound
