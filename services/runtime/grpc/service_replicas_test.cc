#include "services/runtime/grpc/service_replicas.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/files/owned_fd.h"
#include "services/core/time/eventually.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_retry_policy.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/grpc/grpc_test_service.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::entrepot::testing::v1::CallRequest;
using ::entrepot::testing::v1::CallResponse;
using ::entrepot::testing::v1::CallService;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

// Answers with its name. Can hold all calls, also the probes, as a frozen process does.
class NamedServer {
 public:
  explicit NamedServer(std::string name, const std::string& address = "127.0.0.1", uint32_t port = 0)
      : service_(std::move(name)) {
    endpoint_.set_address(address);
    endpoint_.set_port(port);
    Start();
  }

  void Start() {
    server_ = GrpcServer::Start(endpoint_, {&service_}, std::make_shared<prometheus::Registry>()).value();
    endpoint_.set_port(port());
  }
  void Stop() { server_.reset(); }
  void ShowReady(bool ready) { server_->ShowReadiness(ready, ready); }

  const std::string& address() const { return server_->address(); }
  uint32_t port() const {
    return static_cast<uint32_t>(std::stoul(server_->address().substr(server_->address().rfind(':') + 1)));
  }
  GrpcTestService& calls() { return service_; }

 private:
  class Service : public GrpcTestService {
   public:
    explicit Service(std::string name) : name_(std::move(name)) {}
    grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const CallRequest* request,
                                   CallResponse* response) override {
      if (request->wait_for_cancel() || request->code() != 0) return GrpcTestService::Call(context, request, response);
      response->set_text(name_);
      grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }

   private:
    const std::string name_;
  };

  Service service_;
  config::v1::Endpoint endpoint_;
  std::unique_ptr<GrpcServer> server_;
};

class ServiceReplicasTest : public ::testing::Test {
 protected:
  void Connect(const std::string& target, ServiceReplicas::Options options = {}) {
    options.probe_interval = absl::Milliseconds(20);
    options.resolve_interval = absl::Milliseconds(50);
    options.resolve_soon = absl::Milliseconds(20);
    options.probe_patience = probe_patience_;
    config::v1::Service service = service_;
    service.set_target(target);
    replicas_ = ServiceReplicas::Connect(service, registry_, options);
  }

  grpc::Status CallOnce(const CallRequest& request, CallResponse* response) {
    const auto context = std::make_shared<grpc::ClientContext>();
    GrpcDeadline(kLong).Limit(context.get());
    ReplicaCall call(*replicas_);
    call.GiveUpIfSilent(context);
    return call.End(call.stub<CallService>().Call(context.get(), request, response));
  }
  // The name of the server that answered; else the error.
  std::string Call() {
    CallResponse response;
    GrpcRetryPolicy patience(kLong);
    for (;;) {
      const grpc::Status status = CallOnce(CallRequest(), &response);
      if (status.ok()) return response.text();
      const auto wait = patience.Next(status);
      if (!wait.has_value()) return status.error_message();
      absl::SleepFor(*wait);
    }
  }
  std::map<std::string, int> Answers(int calls) {
    std::map<std::string, int> answers;
    for (int i = 0; i < calls; ++i) ++answers[Call()];
    return answers;
  }
  bool AnswersComeFrom(const std::vector<std::string>& names) {
    std::vector<std::string> seen;
    for (const auto& [name, count] : Answers(20)) seen.push_back(name);
    return seen == names;
  }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  config::v1::Service service_;
  // Long, so that a busy machine makes no replica silent.
  absl::Duration probe_patience_ = absl::Seconds(20);
  std::shared_ptr<ServiceReplicas> replicas_;
};

TEST_F(ServiceReplicasTest, SpreadsCallsOverSeveralAddresses) {
  NamedServer a("a"), b("b");
  Connect(absl::StrCat(a.address(), ",", b.address()));
  EXPECT_THAT(Answers(20), ElementsAre(::testing::Pair("a", 10), ::testing::Pair("b", 10)));
  EXPECT_OK(replicas_->CheckReady());
  const std::string label = absl::StrCat("target=\"", a.address(), ",", b.address(), "\"");
  EXPECT_THAT(Metrics(), AllOf(HasSubstr(absl::StrCat("{state=\"all\",", label, "} 2")),
                               HasSubstr(absl::StrCat("{state=\"serving\",", label, "} 2")),
                               HasSubstr(absl::StrCat("{state=\"ejected\",", label, "} 0"))));
}

TEST_F(ServiceReplicasTest, NoCallFailsWhenAReplicaDiesAndComesBack) {
  NamedServer a("a"), b("b");
  Connect(absl::StrCat(a.address(), ",", b.address()));
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
  b.Stop();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(Call(), "a");
  b.Start();
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
}

TEST_F(ServiceReplicasTest, AReplicaThatIsNotReadyGetsNoCalls) {
  NamedServer a("a"), b("b");
  Connect(absl::StrCat(a.address(), ",", b.address()));
  a.ShowReady(false);
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"b"}); }));
  EXPECT_OK(replicas_->CheckReady());
  EXPECT_OK(replicas_->CheckWritable());
  b.ShowReady(false);
  EXPECT_TRUE(Eventually([&] { return !replicas_->CheckReady().ok(); }));
  // If none is ready, calls are still made.
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
  a.ShowReady(true);
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a"}); }));
}

TEST_F(ServiceReplicasTest, ASingleAddressGetsAllCalls) {
  NamedServer a("a");
  Connect(a.address());
  EXPECT_EQ(Call(), "a");
  a.ShowReady(false);
  EXPECT_EQ(Call(), "a");
  EXPECT_THAT(replicas_->CheckReady(), StatusIs(absl::StatusCode::kUnavailable));
  a.Stop();
  CallResponse response;
  EXPECT_EQ(CallOnce(CallRequest(), &response).error_code(), grpc::StatusCode::UNAVAILABLE);
  a.Start();
  EXPECT_EQ(Call(), "a");
}

// A name whose addresses the test changes.
class Name {
 public:
  void Set(absl::StatusOr<std::vector<std::string>> addresses) {
    const absl::MutexLock lock(&mutex_);
    addresses_ = std::move(addresses);
  }
  HostResolver resolver() {
    return [this](const std::string& host) -> absl::StatusOr<std::vector<std::string>> {
      EXPECT_EQ(host, "blob.test");
      const absl::MutexLock lock(&mutex_);
      ++look_ups_;
      return addresses_;
    };
  }
  void AwaitLookUps(int more) {
    const absl::MutexLock lock(&mutex_);
    const int wanted = look_ups_ + more;
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return look_ups_ >= wanted; };
    mutex_.Await(absl::Condition(&enough));
  }

 private:
  absl::Mutex mutex_;
  absl::StatusOr<std::vector<std::string>> addresses_ ABSL_GUARDED_BY(mutex_) = std::vector<std::string>();
  int look_ups_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Servers with one port on several addresses of the loopback network, as the replicas behind a name have.
class NamedReplicasTest : public ServiceReplicasTest {
 protected:
  NamedReplicasTest() : b_("b", "127.0.0.2", a_.port()), c_("c", "127.0.0.3", a_.port()) {}

  // Its resolver uses name_.
  void TearDown() override { replicas_.reset(); }

  void ConnectByName(ServiceReplicas::Options options = {}) {
    options.resolve = name_.resolver();
    Connect(absl::StrCat("dns:///blob.test:", a_.port()), options);
  }

  NamedServer a_{"a"};
  NamedServer b_;
  NamedServer c_;
  Name name_;
};

TEST_F(NamedReplicasTest, FollowsTheAddressesOfAName) {
  name_.Set(std::vector<std::string>{"127.0.0.1", "127.0.0.2"});
  ConnectByName();
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
  name_.Set(std::vector<std::string>{"127.0.0.2", "127.0.0.3"});
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"b", "c"}); }));
  name_.Set(std::vector<std::string>{"127.0.0.1"});
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a"}); }));
}

TEST_F(NamedReplicasTest, KeepsTheAddressesIfALookUpFails) {
  name_.Set(std::vector<std::string>{"127.0.0.1", "127.0.0.2"});
  ConnectByName();
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
  name_.Set(absl::UnavailableError("the name server is down"));
  name_.AwaitLookUps(2);
  EXPECT_TRUE(AnswersComeFrom({"a", "b"}));
  name_.Set(std::vector<std::string>());
  name_.AwaitLookUps(2);
  EXPECT_TRUE(AnswersComeFrom({"a", "b"}));
}

TEST_F(NamedReplicasTest, AReplacedReplicaIsFoundSoon) {
  name_.Set(std::vector<std::string>{"127.0.0.1"});
  ServiceReplicas::Options options;
  ConnectByName(options);
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a"}); }));
  name_.Set(std::vector<std::string>{"127.0.0.2"});
  a_.Stop();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Call(), "b");
}

TEST_F(NamedReplicasTest, ACallGoesOnAtAnAddressThatHasLeftTheName) {
  name_.Set(std::vector<std::string>{"127.0.0.1"});
  ConnectByName();
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a"}); }));
  CallRequest request;
  request.set_wait_for_cancel(true);
  CallResponse response;
  const auto context = std::make_shared<grpc::ClientContext>();
  GrpcDeadline(kLong).Limit(context.get());
  ReplicaCall call(*replicas_);
  std::promise<grpc::Status> done;
  call.stub<CallService>().async()->Call(context.get(), &request, &response,
                                         [&](const grpc::Status& status) { done.set_value(status); });
  ASSERT_TRUE(a_.calls().AwaitWaiting(1));
  name_.Set(std::vector<std::string>{"127.0.0.2"});
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"b"}); }));
  std::future<grpc::Status> end = done.get_future();
  EXPECT_EQ(end.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  context->TryCancel();
  EXPECT_EQ(end.get().error_code(), grpc::StatusCode::CANCELLED);
}

// Relays connections to a server, as long as it is not frozen. While it is, connections stay open, and new ones are
// accepted by the kernel, as with a process that SIGSTOP has stopped.
class FreezingRelay {
 public:
  explicit FreezingRelay(uint32_t port) : port_(port) {
    sockaddr_in address = Loopback(0);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 64), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~FreezingRelay() {
    stopped_ = true;
    thread_.join();
  }

  void Freeze(bool frozen) { frozen_ = frozen; }
  const std::string& address() const { return address_; }

 private:
  struct Pair {
    OwnedFd client;
    OwnedFd server;
  };

  static sockaddr_in Loopback(uint32_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }

  void Run() {
    constexpr int kTickMilliseconds = 5;
    while (!stopped_) {
      std::vector<pollfd> fds;
      if (!frozen_) {
        fds.push_back({listener_.get(), POLLIN, 0});
        for (const Pair& pair : pairs_) {
          fds.push_back({pair.client.get(), POLLIN, 0});
          fds.push_back({pair.server.get(), POLLIN, 0});
        }
      }
      ::poll(fds.data(), fds.size(), kTickMilliseconds);
      if (fds.empty() || frozen_) continue;
      for (size_t i = pairs_.size(); i-- > 0;) {
        const bool open = Move(fds[1 + 2 * i], pairs_[i].client, pairs_[i].server) &&
                          Move(fds[2 + 2 * i], pairs_[i].server, pairs_[i].client);
        if (!open) pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (fds[0].revents != 0) Accept();
    }
  }

  void Accept() {
    OwnedFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    OwnedFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(port_);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
    pairs_.push_back({std::move(client), std::move(server)});
  }

  static bool Move(const pollfd& ready, const OwnedFd& from, const OwnedFd& to) {
    if (ready.revents == 0) return true;
    std::array<char, 65536> bytes;
    const ssize_t size = ::recv(from.get(), bytes.data(), bytes.size(), 0);
    return size > 0 && ::send(to.get(), bytes.data(), static_cast<size_t>(size), MSG_NOSIGNAL) == size;
  }

  const uint32_t port_;
  const OwnedFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string address_;
  std::vector<Pair> pairs_;
  std::atomic<bool> frozen_ = false;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

TEST_F(ServiceReplicasTest, AnAddressThatIsSilentFromTheStartCostsNoCall) {
  NamedServer a("a"), b("b");
  FreezingRelay relay(b.port());
  relay.Freeze(true);
  probe_patience_ = absl::Milliseconds(300);
  Connect(absl::StrCat(relay.address(), ",", a.address()));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Call(), "a");
}

TEST_F(ServiceReplicasTest, CallsToAFrozenReplicaAreMadeAgainElsewhere) {
  NamedServer a("a"), b("b");
  FreezingRelay relay(b.port());
  probe_patience_ = absl::Milliseconds(300);
  Connect(absl::StrCat(a.address(), ",", relay.address()));
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
  relay.Freeze(true);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Call(), "a");
  relay.Freeze(false);
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
}

TEST_F(ServiceReplicasTest, ACallThatIsDearToBeginAgainOutlastsAPause) {
  NamedServer a("a"), b("b");
  FreezingRelay relay(b.port());
  probe_patience_ = absl::Milliseconds(100);
  Connect(absl::StrCat(relay.address(), ",", a.address()));
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a", "b"}); }));
  CallRequest request;
  request.set_wait_for_cancel(true);
  CallResponse response;
  grpc::ClientContext context;
  GrpcDeadline(kLong).Limit(&context);
  std::unique_ptr<ReplicaCall> call;
  // The one that goes to the relay.
  std::promise<grpc::Status> done;
  for (int i = 0; call == nullptr && i < 2; ++i) {
    call = std::make_unique<ReplicaCall>(*replicas_);
    if (call->target() != relay.address()) call.reset();
  }
  ASSERT_NE(call, nullptr);
  call->stub<CallService>().async()->Call(&context, &request, &response,
                                          [&](const grpc::Status& status) { done.set_value(status); });
  ASSERT_TRUE(b.calls().AwaitWaiting(1));
  relay.Freeze(true);
  EXPECT_TRUE(Eventually([&] { return AnswersComeFrom({"a"}); }));
  std::future<grpc::Status> end = done.get_future();
  EXPECT_EQ(end.wait_for(std::chrono::seconds(1)), std::future_status::timeout);
  relay.Freeze(false);
  context.TryCancel();
  EXPECT_EQ(call->End(end.get()).error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServiceReplicasTest, AReplicaThatAnswersProbesOnlyIsEjected) {
  NamedServer a("a"), b("b");
  Connect(absl::StrCat(a.address(), ",", b.address()));
  for (int i = 0; i < 4 * ReplicaRotation::kFailuresMax; ++i) {
    ReplicaCall call(*replicas_);
    const bool is_late = call.target() == b.address();
    call.End(is_late ? grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "") : grpc::Status::OK);
  }
  EXPECT_TRUE(AnswersComeFrom({"a"}));
  const std::string ejected = absl::StrCat("{state=\"ejected\",target=\"", a.address(), ",", b.address(), "\"} 1");
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(Metrics(), ejected); })) << Metrics();
}

}  // namespace
}  // namespace entrepot::runtime
