#include "gateway/http/http1/http1_codec.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "gateway/http/http1/file_sender.h"
#include "gateway/http/http1/response_head.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// While the server drains: how long a new connection may take to send its first request, and how long one whose last
// response was sent just before may take to send another.
constexpr std::chrono::milliseconds kDrainingFirstTime{5000};
constexpr std::chrono::milliseconds kDrainingIdleTime{250};
// Small pieces of a body are sent together, up to this size. The budget does not count so few bytes of any request.
constexpr size_t kGatheredBytesMax = MemoryBudget::kUncountedBytes;
// The memory of a response head is kept for the next one up to this size.
constexpr size_t kHeadBytesKept = 4096;
// Clients ask for tokens with the scopes of many repositories in the query.
constexpr absl::string_view kLongQueryPath = "/token";

}  // namespace

Http1Codec::Http1Codec(WorkerContext* worker, ClientSocket* socket, ConnectionSlots::Slot* slot, const Peer& peer,
                       absl::string_view refusal)
    : worker_(worker),
      socket_(socket),
      slot_(slot),
      refusal_(refusal),
      head_({.header_bytes_max = worker->server.header_bytes_max,
             .uri_bytes_max = worker->server.uri_bytes_max,
             .authorization_bytes_max = worker->server.authorization_bytes_max,
             .long_query_path = kLongQueryPath,
             .long_query_bytes_max = worker->server.token_query_bytes_max}),
      body_(socket, &buffer_) {
  request_.remote_address = peer.address;
  request_.is_tls = peer.is_tls;
  request_.is_from_trusted_proxy = peer.is_trusted_proxy;
  request_.body = &body_;
  request_.client = socket_;
  request_.memory = worker_->server.memory;
}

asio::awaitable<Codec::Ending> Http1Codec::Serve() {
  now_ = Clock::now();
  Outcome outcome = co_await ReadHead();
  if (!outcome.has_value() && !refusal_.empty()) outcome = co_await Refuse(400, refusal_);
  while (!outcome.has_value()) {
    outcome = co_await Answer();
    if (!outcome.has_value()) outcome = co_await ReadHead();
  }
  co_return *outcome;
}

void Http1Codec::Drain() {
  if (!idle_) return;
  if (first_) {
    // Its request may be on the way: the client has just connected.
    socket_->ShortenDeadline(now_ + kDrainingFirstTime);
  } else if (!socket_->HasInput()) {
    socket_->StopWaiting();
  }
}

asio::awaitable<Http1Codec::Outcome> Http1Codec::ReadHead() {
  const ServerContext& server = worker_->server;
  head_.Reset();
  buffer_.Shrink();
  idle_ = true;
  slot_->SetWaiting(now_);
  std::chrono::nanoseconds patience = first_ ? server.header_timeout : server.idle_timeout;
  if (worker_->draining) {
    patience = std::min<std::chrono::nanoseconds>(patience, first_ ? kDrainingFirstTime : kDrainingIdleTime);
  }
  socket_->BoundByDeadline(now_ + patience);
  while (true) {
    if (!buffer_.empty()) {
      const RequestHead::Outcome outcome = head_.Parse(buffer_.unread());
      if (outcome == RequestHead::Outcome::kComplete) break;
      if (outcome == RequestHead::Outcome::kRefused) {
        co_return co_await Refuse(head_.refused_status(), head_.refused_message());
      }
      if (idle_ && !head_.blank()) {
        idle_ = false;
        socket_->BoundByDeadline(Clock::now() + server.header_timeout);
      }
    }
    const absl::Span<char> space = buffer_.Space();
    const absl::StatusOr<size_t> read = co_await socket_->Read(space.data(), space.size());
    if (!read.ok()) co_return co_await EndOfWaiting(read.status());
    if (*read == 0) co_return EndingAfterInput();
    buffer_.Fill(*read);
  }
  idle_ = first_ = false;
  slot_->SetBusy();
  co_return std::nullopt;
}

asio::awaitable<Http1Codec::Outcome> Http1Codec::EndOfWaiting(absl::Status status) {
  if (absl::IsDeadlineExceeded(status) && !idle_) {
    co_return co_await Refuse(408, "the request's header did not arrive within limits.header_timeout");
  }
  co_return absl::IsUnavailable(status) ? Ending::kCut : EndingAfterInput();
}

asio::awaitable<Http1Codec::Outcome> Http1Codec::Refuse(int status, absl::string_view message) {
  request_.method = head_.method(buffer_.unread());  // The response to HEAD has no body.
  Response response = RefuseRequest(*worker_, &request_, status, message);
  const absl::Status sent = co_await Send(response, /*close=*/true, /*exchange=*/nullptr);
  co_return sent.ok() ? Ending::kLinger : Ending::kCut;
}

asio::awaitable<Http1Codec::Outcome> Http1Codec::Answer() {
  head_.Fill(buffer_.unread(), &request_);
  buffer_.Consume(head_.size_bytes());
  body_.Begin(head_);
  Exchange exchange(worker_, &request_);
  Response response = co_await exchange.Handle();
  const bool reuse = body_.CanReuse() && head_.keep_alive() && !response.close && !worker_->close_after_responses;
  const absl::Status sent = co_await Send(response, !reuse, &exchange);
  now_ = exchange.Finish(response,
                         {.status = sent, .request_bytes = body_.bytes_read(), .response_bytes = BodyBytesSent()});
  if (out_.capacity() > kHeadBytesKept) out_ = std::string();
  if (!sent.ok()) co_return Ending::kCut;
  if (!reuse) co_return body_.unread() ? Ending::kLinger : EndingAfterInput();
  if (body_.unread()) {
    const bool discarded = co_await body_.Discard();
    if (!discarded) co_return Ending::kLinger;
  }
  body_.ReturnSurplus();
  co_return std::nullopt;
}

asio::awaitable<absl::Status> Http1Codec::Send(Response& response, bool close, Exchange* exchange) {
  const bool is_head = request_.method == "HEAD";
  const std::optional<uint64_t> length = DeclaredLength(response, is_head);
  out_.clear();
  AppendHead(response, {worker_->date.Now(), request_.request_id, length, close}, &out_);
  sent_before_body_ = socket_->bytes_sent() + out_.size();
  socket_->BoundByRate();
  if (is_head || !length || *length == 0) co_return co_await socket_->Write(out_);
  if (const auto* text = std::get_if<std::string>(&response.body)) co_return co_await socket_->Write(out_, *text);
  if (const auto* shared = std::get_if<SharedBytes>(&response.body)) co_return co_await socket_->Write(out_, **shared);
  if (auto* stream = std::get_if<StreamBody>(&response.body)) co_return co_await SendStream(*stream, exchange);
  if (auto* sequence = std::get_if<SequenceBody>(&response.body)) co_return co_await SendSequence(*sequence, exchange);
  co_return co_await SendFileBody(std::get<FileBody>(response.body), exchange);
}

asio::awaitable<absl::Status> Http1Codec::SendFileBody(const FileBody& body, Exchange* exchange) {
  CO_RETURN_IF_ERROR(co_await socket_->Write(out_, {}, /*more=*/true));
  if (exchange != nullptr) exchange->MarkFirstByte();
  co_return co_await SendFile(request_, body, *socket_, *worker_->server.executor);
}

asio::awaitable<absl::Status> Http1Codec::SendStream(StreamBody& body, Exchange* exchange) {
  absl::string_view head = out_;
  for (uint64_t left = body.length_bytes; left > 0;) {
    CO_ASSIGN_OR_RETURN(const absl::string_view bytes, co_await body.stream->Next());
    if (bytes.empty()) co_return absl::DataLossError("the body's source ended before its length");
    const absl::string_view sent = bytes.substr(0, left);
    CO_RETURN_IF_ERROR(co_await socket_->Write(head, sent));
    if (!head.empty() && exchange != nullptr) exchange->MarkFirstByte();
    head = {};
    left -= sent.size();
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Http1Codec::SendSequence(SequenceBody& body, Exchange* exchange) {
  while (true) {
    CO_ASSIGN_OR_RETURN(std::optional<BodyPiece> piece, co_await body.pieces->Next());
    if (!piece.has_value()) co_return co_await socket_->Write(out_);
    if (const auto* text = std::get_if<std::string>(&*piece)) {
      if (out_.size() + text->size() <= kGatheredBytesMax) {
        out_.append(*text);
        continue;
      }
      CO_RETURN_IF_ERROR(co_await socket_->Write(out_, *text));
    } else if (const auto* file = std::get_if<FileBody>(&*piece)) {
      CO_RETURN_IF_ERROR(co_await SendFileBody(*file, std::exchange(exchange, nullptr)));
    } else {
      CO_RETURN_IF_ERROR(co_await SendStream(std::get<StreamBody>(*piece), std::exchange(exchange, nullptr)));
    }
    out_.clear();
  }
}

uint64_t Http1Codec::BodyBytesSent() const {
  return socket_->bytes_sent() - std::min(socket_->bytes_sent(), sent_before_body_);
}

}  // namespace entrepot::gateway::http
