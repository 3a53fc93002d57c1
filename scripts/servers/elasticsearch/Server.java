import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** One node in this JVM, with the modules of an installation and a configuration of its own: Server INSTALLATION HOME. HOME holds config/elasticsearch.yml. Prints its port. */
public class Server {
  public static void main(String[] arguments) throws Exception {
    Path modules = Path.of(arguments[0]).toAbsolutePath().resolve("modules");
    Path home = Path.of(arguments[1]).toAbsolutePath();
    Files.createDirectories(home.resolve("plugins"));
    LogConfigurator.configureESLogging();
    LogConfigurator.configureWithoutConfig(Settings.builder().put("logger.level", "WARN").build());
    Settings settings = Settings.builder().put("path.home", home).build();
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "node");
    PluginsLoader plugins =
        PluginsLoader.createPluginsLoader(PluginsLoader.loadModulesBundles(modules, false), Set.of(), Map.of(), false);
    Node node = new Node(environment, plugins);
    CountDownLatch done = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    node.prepareForClose();
                    node.close();
                    node.awaitClose(10, TimeUnit.SECONDS);
                  } catch (Exception error) {
                    error.printStackTrace();
                  }
                  done.countDown();
                }));
    node.start();
    System.out.println("LISTENING " + node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort());
    done.await();
  }
}
