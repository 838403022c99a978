#ifndef ENTREPOT_GATEWAY_HTTP_CONNECTION_H_
#define ENTREPOT_GATEWAY_HTTP_CONNECTION_H_

#include <string>

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/http/client_socket.h"
#include "gateway/http/message.h"
#include "gateway/http/read_buffer.h"
#include "gateway/http/request_body.h"
#include "gateway/http/request_head.h"
#include "gateway/http/worker.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// One client's connection: reads its requests, has them answered one after the other, and closes it so that the client
// sees the last answer. Lives on its worker's thread.
class Connection {
 public:
  // `worker` must outlive it. Takes over the slot that belongs to it.
  Connection(Worker* worker, OwnedFd fd, std::string remote_address);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Until the connection is closed.
  boost::asio::awaitable<void> Run();

  // Closes it where no request is under way.
  void EndIfIdle();
  void CutOff() { socket_.CutOff(); }
  void OnTick(ClientSocket::Clock::time_point now) { socket_.OnTick(now); }

 private:
  using Clock = ClientSocket::Clock;

  enum class Ending {
    kNone,    // Another request may come.
    kClose,   // All that the client sent was read.
    kLinger,  // The client may be sending still and must see the answer.
    kCut,     // The connection is broken, or the answer is.
  };

  boost::asio::awaitable<Ending> ReadHead(bool first);
  boost::asio::awaitable<Ending> EndOfWaiting(absl::Status status);
  boost::asio::awaitable<Ending> Refuse(int status, absl::string_view message);
  boost::asio::awaitable<Ending> Answer();
  boost::asio::awaitable<Response> Handle();
  boost::asio::awaitable<absl::Status> Send(Response& response, bool close);
  boost::asio::awaitable<absl::Status> SendStream(StreamBody& body);
  boost::asio::awaitable<void> End(Ending ending);
  void BeginRequest();
  void Finish(const Response& response, const absl::Status& sent);

  Worker* const worker_;
  const std::string remote_address_;
  ClientSocket socket_;
  ReadBuffer buffer_;
  RequestHead head_;
  ConnectionBody body_;
  Request request_;
  std::string out_;  // The head of the answer under way.

  bool idle_ = true;
  Clock::time_point now_;  // When the last thing happened, where that is exact enough.
  Clock::time_point began_;
  Clock::time_point first_byte_;
  uint64_t sent_before_ = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_CONNECTION_H_
