#include "gateway/http/connection.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <variant>

#include "gateway/http/file_sender.h"
#include "gateway/http/response_head.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;
using runtime::LogLevel;

// How long a client that was answered may go on sending before it is cut off.
constexpr std::chrono::milliseconds kLingerTime{5000};
// The same where nothing more is expected, or where there is no time.
constexpr std::chrono::milliseconds kShortLingerTime{500};
// A connection that came just before the listener closed may still say what it came for.
constexpr std::chrono::milliseconds kDrainingIdleTime{250};
constexpr size_t kStreamPieceBytes = 256 << 10;
// A head of an answer longer than this is no reason to keep the memory.
constexpr size_t kHeadBytesKept = 4096;

std::shared_ptr<asio::ssl::context> TlsOf(const Shared& shared) {
  return shared.certificates == nullptr ? nullptr : shared.certificates->context();
}

double Seconds(ClientSocket::Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

class InFlight {
 public:
  explicit InFlight(prometheus::Gauge& gauge) : gauge_(gauge) { gauge_.Increment(); }
  ~InFlight() { gauge_.Decrement(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  prometheus::Gauge& gauge_;
};

}  // namespace

Connection::Connection(Worker* worker, OwnedFd fd, std::string remote_address)
    : worker_(worker),
      remote_address_(std::move(remote_address)),
      socket_(worker->io(), std::move(fd), worker->shared().meter, TlsOf(worker->shared())),
      head_(worker->shared().head_limits),
      body_(&socket_, &buffer_) {
  request_.remote_address = remote_address_;
  request_.is_tls = socket_.is_tls();
  request_.body = &body_;
  worker_->Add(this);
}

Connection::~Connection() { worker_->Remove(this); }

asio::awaitable<void> Connection::Run() {
  now_ = Clock::now();
  if (socket_.is_tls()) {
    socket_.BoundByDeadline(now_ + worker_->shared().header_timeout);
    const absl::Status shaken = co_await socket_.Handshake();
    if (!shaken.ok()) co_return;
    now_ = Clock::now();
  }
  Ending ending = co_await ReadHead(/*first=*/true);
  while (ending == Ending::kNone) {
    ending = co_await Answer();
    if (ending == Ending::kNone) ending = co_await ReadHead(/*first=*/false);
  }
  co_await End(ending);
}

void Connection::EndIfIdle() {
  if (idle_ && !socket_.HasInput()) socket_.StopWaiting();
}

asio::awaitable<Connection::Ending> Connection::ReadHead(bool first) {
  const Shared& shared = worker_->shared();
  head_.Reset();
  buffer_.Rest();
  idle_ = true;
  std::chrono::nanoseconds patience = first ? shared.header_timeout : shared.idle_timeout;
  if (worker_->draining()) patience = std::min<std::chrono::nanoseconds>(patience, kDrainingIdleTime);
  socket_.BoundByDeadline(now_ + patience);
  while (true) {
    if (!buffer_.empty()) {
      const RequestHead::Outcome outcome = head_.Parse(buffer_.unread());
      if (outcome == RequestHead::Outcome::kComplete) break;
      if (outcome == RequestHead::Outcome::kRefused) {
        co_return co_await Refuse(head_.refused_status(), head_.refused_message());
      }
      if (idle_ && !head_.blank()) {
        idle_ = false;
        socket_.BoundByDeadline(Clock::now() + shared.header_timeout);
      }
    }
    const absl::Span<char> space = buffer_.Space();
    const absl::StatusOr<size_t> read = co_await socket_.Read(space.data(), space.size());
    if (!read.ok()) co_return co_await EndOfWaiting(read.status());
    if (*read == 0) co_return Ending::kClose;
    buffer_.Fill(*read);
  }
  idle_ = false;
  co_return Ending::kNone;
}

asio::awaitable<Connection::Ending> Connection::EndOfWaiting(absl::Status status) {
  if (absl::IsDeadlineExceeded(status) && !idle_) {
    co_return co_await Refuse(408, "the request's header did not come in time");
  }
  co_return absl::IsUnavailable(status) ? Ending::kCut : Ending::kClose;
}

asio::awaitable<Connection::Ending> Connection::Refuse(int status, absl::string_view message) {
  request_.method = head_.method(buffer_.unread());  // The answer to a HEAD has no body.
  request_.request_id = worker_->request_ids().Next();
  Response response = worker_->shared().handler->Refuse(status, message);
  const auto is_allow = [](const auto& field) { return field.first == "Allow"; };
  if (status == 405 && std::none_of(response.fields.begin(), response.fields.end(), is_allow)) {
    response.fields.emplace_back("Allow", "GET, HEAD, PUT, POST, PATCH, DELETE");
  }
  worker_->shared().metrics->CountRefused(status);
  if (runtime::LogEnabled(LogLevel::kDebug)) {
    runtime::Log(LogLevel::kDebug, "refused a request",
                 {{"status", status},
                  {"reason", message},
                  {"request_id", request_.request_id},
                  {"remote_address", remote_address_}});
  }
  const absl::Status sent = co_await Send(response, /*close=*/true);
  co_return sent.ok() ? Ending::kLinger : Ending::kCut;
}

void Connection::BeginRequest() {
  began_ = Clock::now();
  head_.Fill(buffer_.unread(), &request_);
  buffer_.Consume(head_.size_bytes());
  body_.Begin(head_);
  const auto id = request_.Find("X-Request-Id");
  if (id && IsRequestId(*id)) {
    request_.request_id.assign(id->data(), id->size());
  } else {
    request_.request_id = worker_->request_ids().Next();
  }
}

asio::awaitable<Connection::Ending> Connection::Answer() {
  const InFlight in_flight(worker_->shared().metrics->in_flight());
  BeginRequest();
  Response response = co_await Handle();
  const bool reuse = body_.CanReuse() && head_.keep_alive() && !response.close && !worker_->draining();
  const absl::Status sent = co_await Send(response, !reuse);
  Finish(response, sent);
  if (!sent.ok()) co_return Ending::kCut;
  if (!reuse) co_return body_.unread() ? Ending::kLinger : Ending::kClose;
  if (body_.unread()) {
    const bool discarded = co_await body_.Discard();
    if (!discarded) co_return Ending::kLinger;
  }
  body_.ReturnSurplus();
  co_return Ending::kNone;
}

asio::awaitable<Response> Connection::Handle() {
  try {
    co_return co_await worker_->shared().handler->Handle(request_);
  } catch (const std::exception& exception) {
    runtime::Log(LogLevel::kError, "a handler threw",
                 {{"what", exception.what()}, {"path", request_.path}, {"request_id", request_.request_id}});
  }
  Response response = worker_->shared().handler->Refuse(500, "internal error");
  response.close = true;
  co_return response;
}

asio::awaitable<absl::Status> Connection::Send(Response& response, bool close) {
  const bool is_head = request_.method == "HEAD";
  const std::optional<uint64_t> length = DeclaredLength(response, is_head);
  out_.clear();
  AppendHead(response, {worker_->date().Now(), request_.request_id, length, close}, &out_);
  sent_before_ = socket_.bytes_sent() + out_.size();
  socket_.BoundByRate();
  if (is_head || !length || *length == 0) co_return co_await socket_.Write(out_);
  if (const auto* text = std::get_if<std::string>(&response.body)) co_return co_await socket_.Write(out_, *text);
  if (auto* stream = std::get_if<StreamBody>(&response.body)) co_return co_await SendStream(*stream);
  CO_RETURN_IF_ERROR(co_await socket_.Write(out_, {}, /*more=*/true));
  first_byte_ = Clock::now();
  co_return co_await SendFile(std::get<FileBody>(response.body), socket_, *worker_->shared().executor);
}

asio::awaitable<absl::Status> Connection::SendStream(StreamBody& body) {
  const size_t capacity = std::min<uint64_t>(kStreamPieceBytes, body.length_bytes);
  const std::unique_ptr<char[]> piece(new char[capacity]);
  absl::string_view head = out_;
  for (uint64_t left = body.length_bytes; left > 0;) {
    CO_ASSIGN_OR_RETURN(const size_t read, co_await body.source->Read(piece.get(), std::min<uint64_t>(capacity, left)));
    if (read == 0) co_return absl::DataLossError("the body's source ended before its length");
    CO_RETURN_IF_ERROR(co_await socket_.Write(head, {piece.get(), read}));
    if (!head.empty()) first_byte_ = Clock::now();
    head = {};
    left -= read;
  }
  co_return absl::OkStatus();
}

void Connection::Finish(const Response& response, const absl::Status& sent) {
  now_ = Clock::now();
  if (first_byte_ < began_) first_byte_ = now_;
  const uint64_t body_bytes = socket_.bytes_sent() - std::min(socket_.bytes_sent(), sent_before_);
  worker_->metrics().Count({.route = response.route,
                            .method = request_.method,
                            .status = response.status,
                            .seconds = Seconds(now_ - began_),
                            .first_byte_seconds = Seconds(first_byte_ - began_),
                            .request_bytes = body_.bytes_read(),
                            .response_bytes = body_bytes});
  if (out_.capacity() > kHeadBytesKept) out_ = std::string();
  const bool failed = response.status >= 500 || absl::IsDataLoss(sent);
  const LogLevel level = failed ? LogLevel::kError : LogLevel::kDebug;
  if (!runtime::LogEnabled(level)) return;
  runtime::Log(level, "request",
               {{"method", request_.method},
                {"path", request_.path},
                {"status", response.status},
                {"seconds", Seconds(now_ - began_)},
                {"request_bytes", body_.bytes_read()},
                {"response_bytes", body_bytes},
                {"remote_address", remote_address_},
                {"request_id", request_.request_id},
                {"sent", sent.message()}});
}

asio::awaitable<void> Connection::End(Ending ending) {
  const bool may_be_sending = ending == Ending::kLinger;
  const bool has_more = ending == Ending::kClose && (socket_.is_tls() || !buffer_.empty() || socket_.HasInput());
  if (!may_be_sending && !has_more) co_return;
  const auto patience = may_be_sending && !worker_->draining() ? kLingerTime : kShortLingerTime;
  co_await socket_.CloseGracefully(Clock::now() + patience);
}

}  // namespace entrepot::gateway::http
