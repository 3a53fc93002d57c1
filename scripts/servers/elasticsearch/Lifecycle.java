import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.cluster.metadata.Metadata;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestChannel;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xpack.core.ilm.*;

/**
 * Index lifecycle policies, whose module is not published: PUT and GET /_ilm/policy keep them, checked by Elastic's own classes. Nothing
 * runs them.
 */
public class Lifecycle extends Plugin implements ActionPlugin {
  private static final ProjectId PROJECT = ProjectId.DEFAULT;
  private ClusterService cluster;

  @Override
  public Collection<?> createComponents(PluginServices services) {
    cluster = services.clusterService();
    return List.of();
  }

  @Override
  public List<Setting<?>> getSettings() {
    return List.of(
        LifecycleSettings.LIFECYCLE_NAME_SETTING,
        LifecycleSettings.LIFECYCLE_INDEXING_COMPLETE_SETTING,
        RolloverAction.LIFECYCLE_ROLLOVER_ALIAS_SETTING);
  }

  private interface Reader<T> {
    T read(XContentParser parser) throws java.io.IOException;
  }

  private static NamedXContentRegistry.Entry action(String name, Reader<? extends LifecycleAction> reader) {
    return new NamedXContentRegistry.Entry(LifecycleAction.class, new ParseField(name), parser -> reader.read(parser));
  }

  @Override
  public List<NamedXContentRegistry.Entry> getNamedXContent() {
    return List.of(
        new NamedXContentRegistry.Entry(
            Metadata.ProjectCustom.class,
            new ParseField(IndexLifecycleMetadata.TYPE),
            parser -> IndexLifecycleMetadata.PARSER.parse(parser, null)),
        new NamedXContentRegistry.Entry(
            LifecycleType.class, new ParseField(TimeseriesLifecycleType.TYPE), parser -> TimeseriesLifecycleType.INSTANCE),
        action(ForceMergeAction.NAME, ForceMergeAction::parse),
        action(ReadOnlyAction.NAME, ReadOnlyAction::parse),
        action(ShrinkAction.NAME, ShrinkAction::parse),
        action(RolloverAction.NAME, RolloverAction::parse),
        action(DeleteAction.NAME, DeleteAction::parse),
        action(SetPriorityAction.NAME, SetPriorityAction::parse));
  }

  private interface Answer {
    void write(XContentBuilder builder) throws java.io.IOException;
  }

  private static void answer(RestChannel channel, Answer answer) {
    try {
      XContentBuilder builder = channel.newBuilder().startObject();
      answer.write(builder);
      channel.sendResponse(new RestResponse(RestStatus.OK, builder.endObject()));
    } catch (Exception error) {
      refuse(channel, error);
    }
  }

  private static void refuse(RestChannel channel, Exception error) {
    try {
      channel.sendResponse(new RestResponse(channel, error));
    } catch (java.io.IOException other) {
      throw new RuntimeException(other);
    }
  }

  private static IndexLifecycleMetadata policies(ClusterState state) {
    IndexLifecycleMetadata found = state.metadata().getProject(PROJECT).custom(IndexLifecycleMetadata.TYPE);
    return found == null ? IndexLifecycleMetadata.EMPTY : found;
  }

  @Override
  public Collection<RestHandler> getRestHandlers(
      RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
    return List.of(new PutPolicy(), new GetPolicy());
  }

  private class PutPolicy extends BaseRestHandler {
    @Override
    public String getName() {
      return "lifecycle_put";
    }

    @Override
    public List<Route> routes() {
      return List.of(new Route(RestRequest.Method.PUT, "/_ilm/policy/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws java.io.IOException {
      String name = request.param("name");
      LifecyclePolicy policy;
      try (XContentParser parser = request.contentParser()) {
        parser.nextToken();
        parser.nextToken();
        parser.nextToken();
        policy = LifecyclePolicy.parse(parser, name);
      }
      policy.validate();
      return channel -> cluster.submitUnbatchedStateUpdateTask("lifecycle", new Keep(policy, channel));
    }
  }

  private static class Keep extends ClusterStateUpdateTask {
    private final LifecyclePolicy policy;
    private final RestChannel channel;

    Keep(LifecyclePolicy policy, RestChannel channel) {
      this.policy = policy;
      this.channel = channel;
    }

    @Override
    public ClusterState execute(ClusterState state) {
      Map<String, LifecyclePolicyMetadata> all = new TreeMap<>(policies(state).getPolicyMetadatas());
      LifecyclePolicyMetadata old = all.get(policy.getName());
      long version = old == null ? 1 : old.getVersion() + 1;
      all.put(policy.getName(), new LifecyclePolicyMetadata(policy, Map.of(), version, System.currentTimeMillis()));
      IndexLifecycleMetadata kept = new IndexLifecycleMetadata(all, OperationMode.RUNNING);
      return state.copyAndUpdateProject(PROJECT, builder -> builder.putCustom(IndexLifecycleMetadata.TYPE, kept));
    }

    @Override
    public void clusterStateProcessed(ClusterState before, ClusterState after) {
      answer(channel, builder -> builder.field("acknowledged", true));
    }

    @Override
    public void onFailure(Exception error) {
      refuse(channel, error);
    }
  }

  private class GetPolicy extends BaseRestHandler {
    @Override
    public String getName() {
      return "lifecycle_get";
    }

    @Override
    public List<Route> routes() {
      return List.of(new Route(RestRequest.Method.GET, "/_ilm/policy/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
      String name = request.param("name");
      return channel -> {
        LifecyclePolicyMetadata found = policies(cluster.state()).getPolicyMetadatas().get(name);
        if (found == null) refuse(channel, new ResourceNotFoundException("Lifecycle policy not found: [{}]", name));
        else
          answer(
              channel,
              builder ->
                  builder
                      .startObject(name)
                      .field("version", found.getVersion())
                      .field("policy", found.getPolicy())
                      .endObject());
      };
    }
  }
}
