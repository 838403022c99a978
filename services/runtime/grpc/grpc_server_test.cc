#include "services/runtime/grpc/grpc_server.h"

#include <sys/socket.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/health_check_service_interface.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/eventually.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/runtime/grpc/grpc_request_id.h"
#include "services/runtime/grpc/grpc_test_service.h"
#include "services/runtime/grpc/grpc_transport.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::entrepot::testing::v1::CallRequest;
using ::entrepot::testing::v1::CallResponse;
using ::entrepot::testing::v1::CallService;
using ::entrepot::testing::v1::Chunk;
using ::entrepot::testing::v1::DownloadRequest;
using ::entrepot::testing::v1::UploadResponse;
using ::testing::HasSubstr;
using ::testing::Not;

// A limit for operations that must not hang.
constexpr absl::Duration kLong = absl::Seconds(30);

config::v1::Endpoint Loopback(uint32_t port = 0) {
  config::v1::Endpoint endpoint;
  endpoint.set_address("127.0.0.1");
  endpoint.set_port(port);
  return endpoint;
}

std::unique_ptr<grpc::ClientContext> NewContext(bool wait_for_ready = false) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + kLong));
  context->set_wait_for_ready(wait_for_ready);
  return context;
}

class GrpcServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Start(0);
    config::v1::Service target;
    target.set_target(server_->address());
    channel_ = MakeChannel(target, client_registry_);
    stub_ = CallService::NewStub(channel_);
  }

  void Start(uint32_t port) {
    ASSERT_OK_AND_ASSIGN(server_, GrpcServer::Start(Loopback(port), {&service_}, registry_));
  }

  uint32_t Port() const {
    return static_cast<uint32_t>(std::stoul(server_->address().substr(server_->address().rfind(':') + 1)));
  }

  grpc::Status Call(const CallRequest& request, CallResponse* response = nullptr, absl::string_view request_id = "") {
    auto context = NewContext();
    SetRequestId(request_id, context.get());
    CallResponse ignored;
    return stub_->Call(context.get(), request, response != nullptr ? response : &ignored);
  }

  static std::string Bytes(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(buffer.Dump(&slices).ok());
    std::string bytes;
    for (const grpc::Slice& slice : slices) bytes.append(slice.begin(), slice.end());
    return bytes;
  }

  grpc::Status CallWithEmptyMessage(const std::string& method, std::string* response = nullptr) {
    grpc::GenericStub generic(channel_);
    auto context = NewContext();
    const grpc::Slice nothing("");
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ByteBuffer received;
    std::promise<grpc::Status> done;
    generic.UnaryCall(context.get(), method, {}, &request, &received,
                      [&done](grpc::Status status) { done.set_value(status); });
    const grpc::Status status = done.get_future().get();
    if (status.ok() && response != nullptr) *response = Bytes(received);
    return status;
  }

  static std::string Metrics(const std::shared_ptr<prometheus::Registry>& registry) {
    return prometheus::TextSerializer().Serialize(registry->Collect());
  }

  // The server counts a call once it has sent the status, which the client may see earlier.
  void AwaitServerMetric(const std::string& line) {
    EXPECT_TRUE(Eventually([&] { return absl::StrContains(Metrics(registry_), line); })) << line << " is not in\n"
                                                                                         << Metrics(registry_);
  }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  const std::shared_ptr<prometheus::Registry> client_registry_ = std::make_shared<prometheus::Registry>();
  GrpcTestService service_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<CallService::Stub> stub_;
};

TEST_F(GrpcServerTest, CarriesCallsAndTheRequestId) {
  CallRequest request;
  request.set_text("hello");
  CallResponse response;
  ASSERT_TRUE(Call(request, &response, "id-1").ok());
  EXPECT_EQ(response.text(), "hello");
  EXPECT_EQ(response.request_id(), "id-1");
  ASSERT_TRUE(Call(request, &response).ok());
  EXPECT_EQ(response.request_id(), "");
}

TEST_F(GrpcServerTest, CountsCallsOnBothSides) {
  CallRequest request;
  ASSERT_TRUE(Call(request).ok());
  ASSERT_TRUE(Call(request).ok());
  request.set_code(grpc::StatusCode::NOT_FOUND);
  ASSERT_EQ(Call(request).error_code(), grpc::StatusCode::NOT_FOUND);

  const std::string method = "method=\"/entrepot.testing.v1.CallService/Call\"";
  AwaitServerMetric(absl::StrCat("entrepot_grpc_server_started_total{", method, "} 3"));
  AwaitServerMetric(absl::StrCat("entrepot_grpc_server_handled_total{code=\"OK\",", method, "} 2"));
  AwaitServerMetric(absl::StrCat("entrepot_grpc_server_handled_total{code=\"NOT_FOUND\",", method, "} 1"));
  AwaitServerMetric(absl::StrCat("entrepot_grpc_server_handling_seconds_count{", method, "} 3"));
  const std::string client = Metrics(client_registry_);
  EXPECT_THAT(client, HasSubstr(absl::StrCat("entrepot_grpc_client_handled_total{code=\"OK\",", method, "} 2")));
  EXPECT_THAT(client, HasSubstr(absl::StrCat("entrepot_grpc_client_handled_total{code=\"NOT_FOUND\",", method, "} 1")));
  EXPECT_THAT(client, HasSubstr(absl::StrCat("entrepot_grpc_client_handling_seconds_count{", method, "} 3")));
  EXPECT_THAT(client, Not(HasSubstr("started_total")));
}

TEST_F(GrpcServerTest, UnknownMethodsDoNotGrowTheLabels) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(CallWithEmptyMessage(absl::StrCat("/no.Service/Method", i)).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
  AwaitServerMetric("entrepot_grpc_server_started_total{method=\"other\"} 20");
  EXPECT_FALSE(absl::StrContains(Metrics(registry_), "no.Service"));
}

TEST_F(GrpcServerTest, ACallWithADisconnectedClientCountsAsCancelled) {
  CallRequest request;
  request.set_wait_for_cancel(true);
  auto context = NewContext();
  CallResponse response;
  std::promise<grpc::Status> done;
  stub_->async()->Call(context.get(), &request, &response, [&done](grpc::Status status) { done.set_value(status); });
  EXPECT_TRUE(service_.AwaitWaiting(1));
  context->TryCancel();
  EXPECT_EQ(done.get_future().get().error_code(), grpc::StatusCode::CANCELLED);
  // The handler finished it with ABORTED, which no client saw.
  AwaitServerMetric("entrepot_grpc_server_handled_total{code=\"CANCELLED\",");
  EXPECT_FALSE(absl::StrContains(Metrics(registry_), "ABORTED"));
}

TEST_F(GrpcServerTest, LogsFailuresWithTheRequestId) {
  ::testing::internal::CaptureStderr();
  CallRequest request;
  request.set_text("disk on fire");
  for (grpc::StatusCode code : {grpc::StatusCode::INTERNAL, grpc::StatusCode::NOT_FOUND}) {
    request.set_code(code);
    EXPECT_EQ(Call(request, nullptr, "id-7").error_code(), code);
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("\"message\":\"call failed\",\"method\":\"/entrepot.testing.v1.CallService/Call\","
                             "\"code\":\"INTERNAL\",\"error\":\"disk on fire\",\"request_id\":\"id-7\"}"));
  EXPECT_THAT(log, Not(HasSubstr("NOT_FOUND")));
}

TEST_F(GrpcServerTest, StreamsManyMegabytesBothWays) {
  auto context = NewContext();
  UploadResponse response;
  const std::unique_ptr<grpc::ClientWriter<Chunk>> writer = stub_->Upload(context.get(), &response);
  Chunk chunk;
  chunk.set_data(std::string(1024 * 1024, 'x'));
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(writer->Write(chunk));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.size(), 64u * 1024 * 1024);

  auto download_context = NewContext();
  DownloadRequest request;
  request.set_size(64u * 1024 * 1024 + 1);
  request.set_chunk_bytes(1024 * 1024);
  const std::unique_ptr<grpc::ClientReader<Chunk>> reader = stub_->Download(download_context.get(), request);
  uint64_t size = 0;
  while (reader->Read(&chunk)) size += chunk.data().size();
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_EQ(size, request.size());
}

TEST_F(GrpcServerTest, LimitsMessages) {
  CallRequest request;
  CallResponse response;
  request.set_text(std::string(kGrpcMessageBytesMax - 1024, 'x'));
  EXPECT_TRUE(Call(request, &response).ok());
  EXPECT_EQ(response.text().size(), request.text().size());
  request.set_text(std::string(kGrpcMessageBytesMax, 'x'));
  EXPECT_EQ(Call(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcServerTest, APortInUseIsAnError) {
  const auto second = GrpcServer::Start(Loopback(Port()), {}, std::make_shared<prometheus::Registry>());
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server_->address()));
}

TEST_F(GrpcServerTest, RefusesConnectionsOfAnAddressThatUsedUpItsShare) {
  config::v1::Endpoint endpoint = Loopback();
  endpoint.set_connections_max(16);
  const auto registry = std::make_shared<prometheus::Registry>();
  ASSERT_OK_AND_ASSIGN(const auto bounded, GrpcServer::Start(endpoint, {&service_}, registry));
  config::v1::Service target;
  target.set_target(bounded->address());
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  const auto call = [&](const std::shared_ptr<grpc::Channel>& channel) {
    CallResponse response;
    return CallService::NewStub(channel)->Call(NewContext().get(), CallRequest(), &response).error_code();
  };
  for (int i = 0; i < 4; ++i) {
    channels.push_back(MakeChannel(target, client_registry_));
    EXPECT_EQ(call(channels.back()), grpc::StatusCode::OK);
  }
  const std::shared_ptr<grpc::Channel> fifth = MakeChannel(target, client_registry_);
  EXPECT_EQ(call(fifth), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(Metrics(registry), HasSubstr("entrepot_grpc_server_connections_refused_total{reason=\"address\"} "));
  // Those that are open go on, and one that closes makes room.
  EXPECT_EQ(call(channels.front()), grpc::StatusCode::OK);
  channels.pop_back();
  CallResponse response;
  EXPECT_TRUE(
      CallService::NewStub(fifth)->Call(NewContext(/*wait_for_ready=*/true).get(), CallRequest(), &response).ok());
}

TEST_F(GrpcServerTest, IsHealthy) {
  std::string response;
  ASSERT_TRUE(CallWithEmptyMessage("/grpc.health.v1.Health/Check", &response).ok());
  // HealthCheckResponse{status: SERVING}.
  EXPECT_EQ(response, "\x08\x01");
}

TEST_F(GrpcServerTest, ReflectsItsServices) {
  grpc::GenericStub generic(channel_);
  auto context = NewContext();
  grpc::CompletionQueue queue;
  const auto stream =
      generic.PrepareCall(context.get(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  const auto step = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  stream->StartCall(nullptr);
  ASSERT_TRUE(step());
  // ServerReflectionRequest{list_services: "*"}.
  const grpc::Slice request("\x3a\x01*");
  stream->Write(grpc::ByteBuffer(&request, 1), nullptr);
  ASSERT_TRUE(step());
  grpc::ByteBuffer response;
  stream->Read(&response, nullptr);
  ASSERT_TRUE(step());
  EXPECT_THAT(Bytes(response), HasSubstr("entrepot.testing.v1.CallService"));
  EXPECT_THAT(Bytes(response), HasSubstr("grpc.health.v1.Health"));
  stream->WritesDone(nullptr);
  ASSERT_TRUE(step());
  grpc::Status status;
  stream->Finish(&status, nullptr);
  ASSERT_TRUE(step());
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(GrpcServerTest, ShutdownCancelsCallsAtTheDeadline) {
  CallRequest request;
  request.set_wait_for_cancel(true);
  std::future<grpc::Status> call = std::async(std::launch::async, [&] { return Call(request); });
  EXPECT_TRUE(service_.AwaitWaiting(1));
  server_->Shutdown(Deadline::Passed());
  EXPECT_FALSE(call.get().ok());
}

TEST_F(GrpcServerTest, ShutdownLetsCallsFinish) {
  auto context = NewContext();
  UploadResponse response;
  const std::unique_ptr<grpc::ClientWriter<Chunk>> writer = stub_->Upload(context.get(), &response);
  Chunk chunk;
  chunk.set_data("abc");
  ASSERT_TRUE(writer->Write(chunk));
  // Waits until the call has arrived.
  AwaitServerMetric("entrepot_grpc_server_started_total{method=\"/entrepot.testing.v1.CallService/Upload\"} 1");
  std::future<void> shutdown = std::async(std::launch::async, [&] { server_->Shutdown(Deadline::After(kLong)); });
  // The server refuses new calls soon, and continues the stream.
  EXPECT_TRUE(Eventually([&] { return !Call(CallRequest()).ok(); }));
  ASSERT_TRUE(writer->Write(chunk));
  writer->WritesDone();
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.size(), 6u);
  shutdown.get();
}

TEST_F(GrpcServerTest, AChannelFindsARestartedServer) {
  ASSERT_TRUE(Call(CallRequest()).ok());
  const uint32_t port = Port();
  server_.reset();
  EXPECT_EQ(Call(CallRequest()).error_code(), grpc::StatusCode::UNAVAILABLE);
  Start(port);
  CallResponse response;
  EXPECT_TRUE(stub_->Call(NewContext(/*wait_for_ready=*/true).get(), CallRequest(), &response).ok());
}

TEST(GrpcServerStartTest, NamesAnAddressThatIsNotLocal) {
  config::v1::Endpoint endpoint;
  endpoint.set_address("192.0.2.1");
  endpoint.set_port(1);
  const auto server = GrpcServer::Start(endpoint, {}, std::make_shared<prometheus::Registry>());
  EXPECT_THAT(server, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("192.0.2.1:1"));
}

TEST(GrpcServerStartTest, ServesOnIpv6) {
  config::v1::Endpoint endpoint;
  endpoint.set_address("::1");
  const auto registry = std::make_shared<prometheus::Registry>();
  GrpcTestService service;
  ASSERT_OK_AND_ASSIGN(const auto server, GrpcServer::Start(endpoint, {&service}, registry));
  EXPECT_TRUE(absl::StartsWith(server->address(), "[::1]:"));
  config::v1::Service target;
  target.set_target(server->address());
  CallResponse response;
  EXPECT_TRUE(
      CallService::NewStub(MakeChannel(target, registry))->Call(NewContext().get(), CallRequest(), &response).ok());
}

}  // namespace
}  // namespace entrepot::runtime
