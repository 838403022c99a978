#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_READ_CALL_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_READ_CALL_H_

#include "gateway/backends/grpc/grpc_stream_state.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "grpcpp/support/status.h"

namespace entrepot::gateway {

// One call whose response is a stream of messages. It has one message at a time, and reads the next one only when the
// coroutine asks for it. Wait() until it is not reading(), then either message() or at_end().
template <typename Service, typename Request, typename Response>
class GrpcReadCall : public GrpcStreamState, public grpc::ClientReadReactor<Response> {
 public:
  using Async = typename Service::StubInterface::async_interface;
  // The method of a stub's callback API.
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, grpc::ClientReadReactor<Response>*);

  using GrpcStreamState::GrpcStreamState;

  // Begins the call and reads its first message.
  void Start(Method method, const Request& request) {
    request_ = request;
    Async* const async = this->replica().template stub<Service>().async();
    (async->*method)(&context(), &request_, this);
    // The coroutine starts each read when it has space. The hold keeps the call open until Release().
    this->AddHold();
    Begin();
    this->StartRead(&message_);
    this->StartCall();
  }

  // Begins to read the next message, in place of the one that arrived.
  void ReadNext() {
    reading_ = true;
    this->StartRead(&message_);
  }

  // The message that arrived.
  Response& message() { return message_; }
  bool reading() const { return reading_; }
  // No message arrived, and none will.
  bool at_end() const { return at_end_; }

 private:
  void DropHold() override { this->RemoveHold(); }
  void OnReadDone(bool ok) override {
    Report([this, ok] {
      reading_ = false;
      at_end_ = !ok;
    });
  }
  void OnDone(const grpc::Status& status) override { Ended(status); }

  Request request_;
  Response message_;
  bool reading_ = true;
  bool at_end_ = false;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_READ_CALL_H_
